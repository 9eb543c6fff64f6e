-- What was written before there was a search is found too.
select app_private.index_tickets(ticket.organization_id, array_agg(ticket.id))
from app_public.tickets as ticket
group by ticket.organization_id;

select app_private.learn_words(organization_id, said)
from (
  select organization_id, string_agg(distinct word, ' ') as said
  from (
    select organization_id, regexp_split_to_table(lower(subject), '[^[:alpha:]]+') as word from app_public.tickets
    union
    select organization_id, regexp_split_to_table(lower(name), '[^[:alpha:]]+') from app_public.users
  ) as words
  group by organization_id
) as everything;
