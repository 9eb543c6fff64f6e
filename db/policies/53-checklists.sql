select app_private.reset_access('app_public.checklist_items');

create policy select_staff on app_public.checklist_items for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = checklist_items.organization_id and ticket.id = checklist_items.ticket_id
      )
    )
  );

grant select on app_public.checklist_items to atum_agent;
