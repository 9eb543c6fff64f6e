select app_private.reset_access('app_hidden.ticket_documents');

-- The search is part of the policy, because the index of words is used for nothing that comes after a policy: whether
-- two words match is no leakproof question. What is found passes the policies of tickets.
create policy select_searched on app_hidden.ticket_documents for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and words @@ app_hidden.searched_words()
  );

grant select (organization_id, ticket_id) on app_hidden.ticket_documents to atum_customer, atum_agent;

select app_private.reset_access('app_hidden.search_words');
