create or replace function app_private.may_approve(user_id uuid, ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.users as person
    where person.organization_id = ticket.organization_id and person.id = may_approve.user_id and person.disabled_at is null
      and (
        app_private.may_see_ticket(person.id, ticket)
        or person.id = ticket.assignee_id
        or (person.role = 'customer' and person.manages_company and person.company_id = ticket.company_id)
      )
  )
$$;

comment on function app_private.may_approve(uuid, app_public.tickets) is 'Whether somebody may be asked for approval on a ticket: who may see it, and who decides for the requester''s company.';

create or replace function app_public.request_approval(
  ticket_id uuid, question text, approver_ids uuid[], rule app_public.approval_rule default 'all'
) returns app_public.ticket_approvals
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
  made app_public.ticket_approvals;
  event_id uuid;
begin
  if ticket.status in ('resolved', 'closed') then
    raise exception using errcode = 'AD150', message = 'A ticket that is done needs no approval';
  end if;
  if coalesce(cardinality(approver_ids), 0) not between 1 and 20 or exists (
    select from unnest(approver_ids) as asked_id where not app_private.may_approve(asked_id, ticket)
  ) then
    raise exception using errcode = 'AD151', message = 'Ask 1 to 20 people who may see the ticket or decide for the requester''s company';
  end if;

  insert into app_public.ticket_approvals (organization_id, ticket_id, ticket_reference, question, rule, requested_by_id)
  values (
    ticket.organization_id, ticket.id, ticket.reference, btrim(request_approval.question),
    coalesce(request_approval.rule, 'all'), app_hidden.current_user_id()
  )
  returning * into made;

  insert into app_public.ticket_approvers (organization_id, approval_id, user_id)
  select distinct ticket.organization_id, made.id, asked_id from unnest(approver_ids) as asked_id;

  event_id := app_private.record_ticket_event(ticket, 'approval_requested', app_private.approval_words(made));
  -- Customers hear of what is public; of this those who are asked, whether or not they see the ticket.
  perform pg_notify(
    'requester:' || approver.user_id,
    json_build_object('event', 'approval_requested', 'ticketId', ticket.id, 'eventId', event_id)::text
  )
  from app_public.ticket_approvers as approver
  where approver.organization_id = made.organization_id and approver.approval_id = made.id;
  return made;
end
$$;

comment on function app_public.request_approval(uuid, text, uuid[], app_public.approval_rule) is
  'Asks 1 to 20 people to approve something on a ticket, and returns the question. Whoever is asked may see the ticket, or is a customer who decides for the requester''s company and reads the `question` alone. Staff only. Errors: NOT_FOUND, APPROVAL_REFUSED on a ticket that is done, APPROVER_REFUSED, INVALID_INPUT.';

create or replace function app_private.approval_words(approval app_public.ticket_approvals) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'approval_id', approval.id, 'question', left(approval.question, 200), 'rule', approval.rule, 'state', approval.state
  )
$$;

comment on function app_private.approval_words(app_public.ticket_approvals) is 'A question for approval as the events of its ticket keep it.';

create or replace function app_public.decide_approval(
  approval_id uuid, decision app_public.approval_decision, note text default null
) returns app_public.ticket_approvals
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  approval app_public.ticket_approvals;
  ticket app_public.tickets;
  asked integer;
  approved integer;
  declined integer;
begin
  -- One answer after the other, or two last ones would each wait for the other.
  select * into approval
  from app_public.ticket_approvals as pending
  where pending.organization_id = app_hidden.current_organization_id() and pending.id = decide_approval.approval_id
    and exists (
      select
      from app_public.ticket_approvers as approver
      where approver.organization_id = pending.organization_id and approver.approval_id = pending.id
        and approver.user_id = app_hidden.current_user_id()
    )
  for no key update;
  if not found then
    raise exception using errcode = 'AD101', message = 'You are not asked for this approval';
  end if;

  select * into strict ticket
  from app_public.tickets
  where organization_id = approval.organization_id and id = approval.ticket_id;
  -- Who decided for a company once, or saw the ticket once, may have been asked then.
  if not app_private.may_approve(app_hidden.current_user_id(), ticket) then
    raise exception using errcode = 'AD101', message = 'You are not asked for this approval any more';
  end if;
  if approval.state <> 'pending' then
    raise exception using errcode = 'AD152', message = 'This was decided already';
  end if;

  update app_public.ticket_approvers as approver
  set decision = decide_approval.decision, note = nullif(btrim(decide_approval.note), ''), decided_at = now()
  where approver.organization_id = approval.organization_id and approver.approval_id = approval.id
    and approver.user_id = app_hidden.current_user_id() and approver.decision is null;
  if not found then
    raise exception using errcode = 'AD152', message = 'You have answered already';
  end if;

  select count(*), count(*) filter (where approver.decision = 'approved'), count(*) filter (where approver.decision = 'declined')
  into asked, approved, declined
  from app_public.ticket_approvers as approver
  where approver.organization_id = approval.organization_id and approver.approval_id = approval.id;

  update app_public.ticket_approvals as decided
  set
    state = outcome.state,
    ended_at = case when outcome.state <> 'pending' then now() end
  from (
    select case
      when approved = asked or (approval.rule = 'any' and approved > 0) then 'approved'
      when declined = asked or (approval.rule = 'all' and declined > 0) then 'declined'
      else 'pending'
    end::app_public.approval_state as state
  ) as outcome
  where decided.organization_id = approval.organization_id and decided.id = approval.id
  returning decided.* into approval;

  perform app_private.record_ticket_event(
    ticket, 'approval_decided', app_private.approval_words(approval) || jsonb_build_object('decision', decide_approval.decision)
  );
  return approval;
end
$$;

comment on function app_public.decide_approval(uuid, app_public.approval_decision, text) is
  'Answers a question for approval in the name of the caller, who was asked, and returns the question. Where `all` must approve, one no decides; where `any` may, one yes. Errors: NOT_FOUND for who is not asked, or could not be asked any more, APPROVAL_DECIDED, INVALID_INPUT.';

create or replace function app_public.cancel_approval(approval_id uuid) returns app_public.ticket_approvals
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  approval app_public.ticket_approvals;
  ticket app_public.tickets;
begin
  select * into approval
  from app_public.ticket_approvals
  where organization_id = app_hidden.current_organization_id() and id = cancel_approval.approval_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such question';
  end if;
  ticket := app_private.ticket_to_work_on(approval.ticket_id);

  update app_public.ticket_approvals
  set state = 'cancelled', ended_at = now()
  where organization_id = approval.organization_id and id = approval.id and state = 'pending'
  returning * into approval;
  if not found then
    raise exception using errcode = 'AD152', message = 'This was decided already';
  end if;
  perform app_private.record_ticket_event(ticket, 'approval_cancelled', app_private.approval_words(approval));
  return approval;
end
$$;

comment on function app_public.cancel_approval(uuid) is 'Takes a question for approval back, and returns it. Staff only. Errors: NOT_FOUND, APPROVAL_DECIDED.';

create or replace function app_public.pending_approvals() returns setof app_public.ticket_approvals
  language sql stable
  set search_path = ''
as $$
  select approval.*
  from app_public.ticket_approvers as asked
  join app_public.ticket_approvals as approval
    on approval.organization_id = asked.organization_id and approval.id = asked.approval_id and approval.state = 'pending'
  where asked.organization_id = (select app_hidden.current_organization_id())
    and asked.user_id = (select app_hidden.current_user_id())
    and asked.decision is null
  order by approval.requested_at, approval.id
  limit 200
$$;

comment on function app_public.pending_approvals() is 'The questions the caller is asked and has not answered, oldest first, at most 200.';

create or replace function app_hidden.asked_approval_ids() returns uuid[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(approver.approval_id), '{}')
  from app_public.ticket_approvers as approver
  where approver.organization_id = app_hidden.current_organization_id() and approver.user_id = app_hidden.current_user_id()
$$;

comment on function app_hidden.asked_approval_ids() is 'The questions for approval in which the caller is asked.';

revoke all on function
  app_private.may_approve(uuid, app_public.tickets), app_private.approval_words(app_public.ticket_approvals),
  app_public.request_approval(uuid, text, uuid[], app_public.approval_rule),
  app_public.decide_approval(uuid, app_public.approval_decision, text), app_public.cancel_approval(uuid),
  app_public.pending_approvals(), app_hidden.asked_approval_ids()
from public;

grant execute on function
  app_public.request_approval(uuid, text, uuid[], app_public.approval_rule), app_public.cancel_approval(uuid)
to atum_agent;
grant execute on function
  app_public.decide_approval(uuid, app_public.approval_decision, text), app_public.pending_approvals(),
  app_hidden.asked_approval_ids()
to atum_customer, atum_agent;
