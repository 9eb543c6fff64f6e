/**
 * What the API is measured against: the same work as one would write it by hand with Express and pg, on the same SQL
 * functions, roles, claims and policies. Not a product: it knows who asks from its own environment.
 */
import express from 'express'
import { Pool, type PoolClient } from 'pg'

const { DATABASE_URL, PORT, BENCH_ORGANIZATION, BENCH_AGENT } = process.env
const pool = new Pool({ connectionString: DATABASE_URL, max: 10 })

async function asAgent<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query({
      name: 'claims',
      text: `select set_config('role', 'atum_agent', true), set_config('atum.organization_id', $1, true), set_config('atum.user_id', $2, true)`,
      values: [BENCH_ORGANIZATION, BENCH_AGENT],
    })
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

const list = `
  select ticket.id, ticket.number, ticket.reference, ticket.subject, ticket.status, ticket.priority, ticket.next_due_at,
    ticket.breached, ticket.updated_at, requester.name as requester, assignee.name as assignee, team.name as team
  from app_public.tickets as ticket
  left join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
  left join app_public.users as assignee on assignee.organization_id = ticket.organization_id and assignee.id = ticket.assignee_id
  left join app_public.teams as team on team.organization_id = ticket.organization_id and team.id = ticket.team_id
  order by ticket.updated_at desc, ticket.id desc
  limit 50`

const open = `
  select ticket.id, ticket.number, ticket.reference, ticket.subject, ticket.status, ticket.priority, ticket.updated_at,
    requester.name as requester, assignee.name as assignee,
    (
      select json_agg(json_build_object('id', said.id, 'body', said.body, 'visibility', said.visibility, 'created_at', said.created_at, 'author', said.author))
      from (
        select comment.*, author.name as author
        from app_public.comments as comment
        left join app_public.users as author on author.organization_id = comment.organization_id and author.id = comment.author_id
        where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id
        order by comment.created_at, comment.id
        limit 50
      ) as said
    ) as comments,
    (
      select json_agg(json_build_object('id', happened.id, 'type', happened.type, 'before', happened.before, 'after', happened.after, 'created_at', happened.created_at, 'actor', happened.actor))
      from (
        select event.*, actor.name as actor
        from app_public.ticket_events as event
        left join app_public.users as actor on actor.organization_id = event.organization_id and actor.id = event.actor_id
        where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id
        order by event.created_at, event.id
        limit 50
      ) as happened
    ) as events
  from app_public.ticket_by_number($1) as ticket
  left join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
  left join app_public.users as assignee on assignee.organization_id = ticket.organization_id and assignee.id = ticket.assignee_id`

const app = express()
app.use(express.json())
app.post('/list', async (_request, response) => {
  response.json(await asAgent(async (client) => (await client.query({ name: 'list', text: list })).rows))
})
app.post('/open', async (request, response) => {
  const values = [request.body.number]
  response.json(
    await asAgent(async (client) => (await client.query({ name: 'open', text: open, values })).rows),
  )
})
app.post('/create', async (request, response) => {
  const text = 'select id, number, reference from app_public.create_ticket($1, $2)'
  const values = [request.body.subject, request.body.body]
  response.json(await asAgent(async (client) => (await client.query({ name: 'create', text, values })).rows))
})
app.post('/comment', async (request, response) => {
  const text = 'select id, created_at from app_public.add_comment($1, $2)'
  const values = [request.body.ticketId, request.body.body]
  response.json(await asAgent(async (client) => (await client.query({ name: 'comment', text, values })).rows))
})
app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'))
