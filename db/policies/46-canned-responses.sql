select app_private.reset_access('app_public.canned_responses');

-- Everybody's, the own, and those of teams: to an agent who is restricted, of the own teams.
create policy select_staff on app_public.canned_responses for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      visibility = 'shared'
      or owner_id = (select app_hidden.current_user_id())
      or (
        visibility = 'team'
        and ((select app_hidden.sees_every_team()) or team_id = any ((select app_hidden.current_team_ids())::uuid[]))
      )
    )
  );

create policy insert_owner on app_public.canned_responses for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

create policy update_owner on app_public.canned_responses for update to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()) and owner_id = (select app_hidden.current_user_id()))
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

-- What others work with is prepared by managers.
create policy insert_manager on app_public.canned_responses for insert to atum_manager
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

create policy update_manager on app_public.canned_responses for update to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal')
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

grant select on app_public.canned_responses to atum_agent;
grant insert (organization_id, folder, title, body, visibility, team_id) on app_public.canned_responses to atum_agent;
grant update (folder, title, body, visibility, team_id, archived_at) on app_public.canned_responses to atum_agent;
-- NOTE: delete is granted to nobody; what is not used any more is archived.

select app_private.reset_access('app_public.macros');

create policy select_staff on app_public.macros for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      visibility = 'shared'
      or owner_id = (select app_hidden.current_user_id())
      or (
        visibility = 'team'
        and ((select app_hidden.sees_every_team()) or team_id = any ((select app_hidden.current_team_ids())::uuid[]))
      )
    )
  );

create policy insert_owner on app_public.macros for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

create policy update_owner on app_public.macros for update to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()) and owner_id = (select app_hidden.current_user_id()))
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

create policy insert_manager on app_public.macros for insert to atum_manager
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

create policy update_manager on app_public.macros for update to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal')
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

grant select on app_public.macros to atum_agent;
grant insert (organization_id, name, description, actions, visibility, team_id) on app_public.macros to atum_agent;
grant update (name, description, actions, visibility, team_id, position, archived_at) on app_public.macros to atum_agent;

select app_private.reset_access('app_private.canned_response_uses');

select app_private.reset_access('app_private.macro_uses');
