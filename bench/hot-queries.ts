import type { BenchMaterial } from './scenarios.ts'

/** What a desk asks all day; its cost must not grow with the number of tickets. */
export interface HotQuery {
  name: string
  query: string
  /** How many tickets a page of it has, where it has pages: the variable `first`. */
  page?: number
  variables: (material: BenchMaterial, count: number) => object
}

const rows =
  'id rowId number reference subject status priority nextDueAt breached updatedAt requester { id name } assignee { id name } team { id name }'

const list = (
  name: string,
) => `query ${name}($first: Int!, $filter: TicketFilter, $orderBy: [TicketOrderBy!]) {
  tickets(first: $first, filter: $filter, orderBy: $orderBy) { nodes { ${rows} } pageInfo { hasNextPage endCursor } } }`

const working = { status: { in: ['new', 'open', 'pending', 'on_hold'] }, snoozedUntil: { isNull: true } }

const inbox = (
  name: string,
  filter: (material: BenchMaterial) => object,
  orderBy = 'UPDATED_AT_DESC',
): HotQuery => ({
  name,
  query: list('HotList'),
  page: 50,
  variables: (material) => ({ filter: filter(material), orderBy: [orderBy] }),
})

const search = (name: string, queryOf: (material: BenchMaterial, count: number) => string): HotQuery => ({
  name: `search: ${name}`,
  page: 20,
  query: `query HotSearch($query: String!, $first: Int!) { searchTickets(query: $query, first: $first) {
    matches { subject excerpt rank ticket { ${rows} } } nextCursor isCapped isMended } }`,
  variables: (material, count) => ({ query: queryOf(material, count) }),
})

const view = (name: string, conditions: object, sort = 'updated'): HotQuery => ({
  name: `view: ${name}`,
  page: 50,
  query: `query HotView($conditions: JSON!, $sort: TicketSort, $first: Int!) { previewTickets(conditions: $conditions, sort: $sort, first: $first) { tickets { ${rows} } nextCursor } }`,
  variables: () => ({ conditions, sort }),
})

const someNumber = ({ lastNumber }: BenchMaterial, count: number) => lastNumber - ((count * 37) % 5_000)
const rareWords = [
  'kufeltum',
  'zodamsol',
  'vicorrin',
  'tebinqua',
  'sawexpel',
  'ruvunost',
  'potornar',
  'nisilmot',
]
/** In the subject of twenty tickets, however many there are: what is found stays the same while the tickets grow. */
export const wordOfTwenty = 'quokka'
const commonWords = ['printer', 'invoice', 'password', 'export', 'server', 'vpn']
const one = <T>(of: readonly T[], count: number) => of[count % of.length] as T

export const hotQueries: HotQuery[] = [
  inbox('list: newest first', () => ({})),
  inbox('list: mine', ({ agentId }) => ({ ...working, assigneeId: { equalTo: agentId } })),
  inbox('list: unassigned', () => ({ ...working, assigneeId: { isNull: true } })),
  inbox('list: breached', () => ({ ...working, breached: { equalTo: true } })),
  inbox(
    'list: breaching',
    () => ({ ...working, nextDueAt: { lessThan: new Date(Date.now() + 7_200_000).toISOString() } }),
    'NEXT_DUE_AT_ASC',
  ),
  inbox('list: open', () => ({ status: { in: ['new', 'open'] }, snoozedUntil: { isNull: true } })),
  {
    name: 'open a ticket',
    query: `query HotOpen($number: Int!) { ticketByNumber(number: $number) { ${rows}
      comments(first: 50) { nodes { id body visibility createdAt author { id name } } }
      ticketEvents(first: 50) { nodes { id type before after createdAt actor { id name } } } } }`,
    variables: (material, count) => ({ number: someNumber(material, count) }),
  },
  view('urgent and open', {
    all: [
      { field: 'status', operator: 'is', value: ['new', 'open'] },
      { field: 'priority', operator: 'is', value: 'urgent' },
    ],
  }),
  view(
    'mine, by due time',
    {
      all: [
        { field: 'assignee_id', operator: 'is', value: 'me' },
        { field: 'status', operator: 'is_not', value: ['resolved', 'closed'] },
      ],
    },
    'due',
  ),
  {
    name: 'counts: inbox',
    query:
      'query HotCounts { inboxCounts { mine unassigned open pending breached resolved breaching snoozed } }',
    variables: () => ({}),
  },
  {
    name: 'counts: five views',
    query: 'query HotViewCounts { ticketViewCounts(first: 100) { nodes { viewId count isCapped } } }',
    variables: () => ({}),
  },
  search('a word on every sixth ticket', (_material, count) => one(commonWords, count)),
  search('a word on twenty tickets', () => wordOfTwenty),
  search(
    'a word on twenty tickets and a common one',
    (_material, count) => `${one(commonWords, count)} ${wordOfTwenty}`,
  ),
  search('a word on twenty tickets and a filter', () => `channel:portal ${wordOfTwenty}`),
  search('a rare word', (_material, count) => one(rareWords, count)),
  search('two words', (_material, count) => `${one(commonWords, count)} ${one(rareWords, count)}`),
  search('a word on every ticket', () => 'restarting'),
  search('a phrase', () => '"restarting did not help"'),
  search('filters and a word', (_material, count) => `status:open assignee:me ${one(commonWords, count)}`),
  search('filters alone', () => 'is:unassigned is:unresolved priority:urgent'),
  search('a number', (material, count) => `BENCH-${someNumber(material, count)}`),
  search('a beginning and a slip', (_material, count) => (count % 2 ? 'pasw' : 'invoise')),
  search('nothing there', () => 'xylophone restarting'),
]

/** The five views whose tickets are counted: conditions as people save them. */
export const savedViews = [
  { all: [{ field: 'status', operator: 'is', value: ['new', 'open'] }] },
  {
    all: [
      { field: 'assignee_id', operator: 'is', value: 'me' },
      { field: 'status', operator: 'is_not', value: ['resolved', 'closed'] },
    ],
  },
  {
    all: [
      { field: 'status', operator: 'is', value: ['new', 'open'] },
      { field: 'priority', operator: 'at_least', value: 'high' },
    ],
  },
  {
    all: [
      { field: 'status', operator: 'is', value: ['pending', 'on_hold'] },
      { field: 'updated_at', operator: 'older_than', value: 604800 },
    ],
  },
  {
    all: [
      { field: 'breached', operator: 'is', value: true },
      { field: 'status', operator: 'is_not', value: ['resolved', 'closed'] },
    ],
  },
] as const
