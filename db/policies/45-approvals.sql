select app_private.reset_access('app_public.ticket_approvals');

-- A customer reads what the customer is asked, and not the ticket it is about.
create policy select_asked on app_public.ticket_approvals for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = any ((select app_hidden.asked_approval_ids())::uuid[])
  );

create policy select_staff on app_public.ticket_approvals for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_approvals.organization_id and ticket.id = ticket_approvals.ticket_id
      )
    )
  );

grant select on app_public.ticket_approvals to atum_customer, atum_agent;

select app_private.reset_access('app_public.ticket_approvers');

create policy select_own on app_public.ticket_approvers for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
  );

create policy select_staff on app_public.ticket_approvers for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.ticket_approvals as approval
        where approval.organization_id = ticket_approvers.organization_id and approval.id = ticket_approvers.approval_id
      )
    )
  );

grant select on app_public.ticket_approvers to atum_customer, atum_agent;
-- NOTE: request_approval, decide_approval and cancel_approval write; nothing is deleted, an answer is evidence.
