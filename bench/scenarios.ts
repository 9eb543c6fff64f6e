import type { BenchRequest } from './load.ts'

/** What a scenario is made of: tickets that exist, and a token of an agent. */
export interface BenchMaterial {
  token: string
  agentId: string
  lastNumber: number
  openTicketIds: string[]
}

/** The same work, asked of the API and of the handwritten handler. */
export interface Scenario {
  name: string
  graphql: (material: BenchMaterial, count: number) => BenchRequest
  handwritten: (material: BenchMaterial, count: number) => BenchRequest
  /** What every right answer contains. */
  expected: string
}

const listDocument = `query BenchList { tickets(first: 50, orderBy: [UPDATED_AT_DESC]) { edges { cursor node {
  id rowId number reference subject status priority nextDueAt breached updatedAt
  requester { id name } assignee { id name } team { id name } } } pageInfo { hasNextPage endCursor } } }`

const openDocument = `query BenchOpen($number: Int!) { ticketByNumber(number: $number) {
  id rowId number reference subject status priority updatedAt requester { id name } assignee { id name }
  comments(first: 50) { nodes { id body visibility createdAt author { id name } } }
  ticketEvents(first: 50) { nodes { id type before after createdAt actor { id name } } } } }`

const createDocument = `mutation BenchCreate($input: CreateTicketInput!) { createTicket(input: $input) { ticket { id rowId number reference } } }`

const commentDocument = `mutation BenchComment($input: AddCommentInput!) { addComment(input: $input) { comment { id rowId createdAt } } }`

const graphql = (material: BenchMaterial, query: string, variables: object): BenchRequest => ({
  path: '/graphql',
  body: JSON.stringify({ query, variables }),
  headers: { authorization: `Bearer ${material.token}` },
})

const handwritten = (path: string, body: object): BenchRequest => ({
  path,
  body: JSON.stringify(body),
  headers: {},
})

// Neither the same ticket again and again, nor the newest only.
const someNumber = ({ lastNumber }: BenchMaterial, count: number) => lastNumber - ((count * 37) % 1_000)
const someOpenTicket = ({ openTicketIds }: BenchMaterial, count: number) =>
  openTicketIds[count % openTicketIds.length]

export const scenarios: Scenario[] = [
  {
    name: 'list 50 tickets',
    graphql: (material) => graphql(material, listDocument, {}),
    handwritten: () => handwritten('/list', {}),
    expected: '"requester":',
  },
  {
    name: 'open a ticket',
    graphql: (material, count) => graphql(material, openDocument, { number: someNumber(material, count) }),
    handwritten: (material, count) => handwritten('/open', { number: someNumber(material, count) }),
    expected: '"ticket_created"',
  },
  {
    name: 'create a ticket',
    graphql: (material, count) =>
      graphql(material, createDocument, {
        input: { subject: `Measured ${count}`, body: 'It is slow today.' },
      }),
    handwritten: (_material, count) =>
      handwritten('/create', { subject: `Measured ${count}`, body: 'It is slow today.' }),
    expected: '"reference":"BENCH-',
  },
  {
    name: 'comment on a ticket',
    graphql: (material, count) =>
      graphql(material, commentDocument, {
        input: { ticketId: someOpenTicket(material, count), body: 'We are looking into it.' },
      }),
    handwritten: (material, count) =>
      handwritten('/comment', { ticketId: someOpenTicket(material, count), body: 'We are looking into it.' }),
    expected: '"id":',
  },
]
