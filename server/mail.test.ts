import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, startTestServer, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

const codes = ({ errors }: { errors: { extensions?: { code?: unknown } }[] }) =>
  errors.map(({ extensions }) => extensions?.code)

const save = `mutation ($body: String!) {
  saveMailTemplate(input: { kind: reply, locale: "en", subject: "About {{ticket.subject}}", body: $body }) { result { id } }
}`
const wordings = '{ mailWordings { nodes { kind locale subject isChanged variables } } }'
const outbox = `query ($state: MailState) {
  outbox(state: $state, first: 5) {
    nodes { rowId toAddress state preview { subject textBody htmlBody } mailAttemptsByMailId { nodes { outcome code response } } }
  }
}`

test('mails and their words are for admins', async () => {
  const { acme } = desk
  for (const person of [acme.customer, acme.agent, acme.manager]) {
    for (const query of [
      wordings,
      outbox,
      '{ mailMessages { nodes { subject } } }',
      '{ currentMailSettings { footer } }',
    ]) {
      expect(codes(await ask(desk, person, query))).toContain('FORBIDDEN')
    }
    expect(codes(await ask(desk, person, save, { body: '{{comment.body}}' }))).toEqual(['FORBIDDEN'])
    const sendTest = 'mutation { sendTestMail(input: { toAddress: "a@b.test" }) { result { id } } }'
    expect(codes(await ask(desk, person, sendTest))).toEqual(['FORBIDDEN'])
  }
})

test('an admin is told in codes what is wrong with words, and reads how they look', async () => {
  const { acme } = desk
  const told = async (body: string) => codes(await ask(desk, acme.admin, save, { body }))
  expect(await told('{{comment.body}} {{ticket.secret}}')).toEqual(['MAIL_VARIABLE_UNKNOWN'])
  expect(await told('No answer')).toEqual(['MAIL_VARIABLE_MISSING'])
  expect(await told('So it is: {{comment.body}}')).toEqual([])

  const { data } = await ask(desk, acme.admin, wordings)
  const changed = data.mailWordings.nodes.filter(({ isChanged }: { isChanged: boolean }) => isChanged)
  expect(changed).toMatchObject([{ kind: 'reply', locale: 'en', subject: 'About {{ticket.subject}}' }])
  const preview = await ask(
    desk,
    acme.admin,
    `{ previewMailTemplate(kind: reply, locale: "en", subject: "x", body: "{{comment.body}}", brandColor: "#ff0066") { htmlBody } }`,
  )
  expect(preview.data.previewMailTemplate.htmlBody).toContain('#ff0066')
})

test('a test mail stands in the outbox, is cancelled and sent again, and no inner state of it is read', async () => {
  const { acme, globex } = desk
  const sent = await ask(
    desk,
    acme.admin,
    'mutation { sendTestMail(input: { toAddress: "Ada@elsewhere.test" }) { result { rowId state } } }',
  )
  const mailId = sent.data.sendTestMail.result.rowId as string
  const { data } = await ask(desk, acme.admin, outbox, { state: 'waiting' })
  expect(data.outbox.nodes[0]).toMatchObject({
    rowId: mailId,
    toAddress: 'ada@elsewhere.test',
    state: 'waiting',
  })
  expect((await ask(desk, globex.admin, outbox)).data.outbox.nodes).toEqual([])

  const cancel = 'mutation ($mailId: UUID!) { cancelMail(input: { mailId: $mailId }) { result { state } } }'
  const retry = 'mutation ($mailId: UUID!) { retryMail(input: { mailId: $mailId }) { result { state } } }'
  expect(codes(await ask(desk, globex.admin, cancel, { mailId }))).toEqual(['NOT_FOUND'])
  expect((await ask(desk, acme.admin, cancel, { mailId })).data.cancelMail.result.state).toBe('cancelled')
  expect(codes(await ask(desk, acme.admin, cancel, { mailId }))).toEqual(['MAIL_NOT_WAITING'])
  expect((await ask(desk, acme.admin, retry, { mailId })).data.retryMail.result.state).toBe('waiting')
  await desk.superuser.query(
    `update app_public.mail_messages set state = 'sent', sent_at = now() where id = $1`,
    [mailId],
  )
  expect(codes(await ask(desk, acme.admin, retry, { mailId }))).toEqual(['MAIL_SENT_ALREADY'])

  for (const field of ['dedupeKey', 'claimedUntil']) {
    expect(codes(await ask(desk, acme.admin, `{ mailMessages { nodes { ${field} } } }`))).toHaveLength(1)
  }
})
