import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createMailServer, MailNotTakenError } from './mail/mail-server.ts'
import { canMakeCertificate, makeCertificate } from './mail/testing/certificate.ts'
import { type MailDoor, type MailReceiver, refusal, startMailReceiver } from './mail/testing.ts'

const quick = { connectionTimeout: 500, greetingTimeout: 500, socketTimeout: 500 }
const letter = {
  from: 'desk@example.com',
  to: 'ada@example.com',
  subject: 'Lamps',
  text: 'Look',
  html: '<p>Look</p>',
}

let receiver: MailReceiver
afterEach(() => receiver.close())

const open = async (door?: MailDoor) => {
  receiver = await startMailReceiver(door)
  return receiver
}
const serverAt = (smtpUrl: string) =>
  createMailServer({ smtpUrl, from: 'Desk <desk@example.com>', publicOrigin: 'https://desk.example' }, quick)

/** How a mail that was not taken failed. */
const failure = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof MailNotTakenError)) throw new Error('it was taken', { cause: error })
  return { code: error.code, isFinal: error.isFinal, message: error.message }
}

describe('what a mail server says', () => {
  test('is that it took the mail', async () => {
    const { port } = await open()
    const server = serverAt(`smtp://127.0.0.1:${port}`)
    expect(await server.post(letter)).toEqual({
      code: 250,
      response: expect.stringMatching(/^250 /) as string,
    })
    expect(server.senderAddress).toBe('desk@example.com')
    expect(server.senderDomain).toBe('example.com')
  })

  test.each([
    ['a mailbox that is not there', 'onRecipient', 550, true],
    ['a mailbox that is full for now', 'onRecipient', 452, false],
    ['a mail it calls spam', 'onMail', 554, true],
    ['a mail it wants to see later', 'onMail', 451, false],
  ] as const)('or that it does not: %s', async (_what, moment, code, isFinal) => {
    const { port } = await open()
    receiver[moment] = () => {
      throw refusal(code, 'In its own words')
    }
    expect(await failure(serverAt(`smtp://127.0.0.1:${port}`).post(letter))).toEqual({
      code,
      isFinal,
      message: expect.stringContaining('In its own words') as string,
    })
  })
})

describe('a mail is tried later', () => {
  test('when nobody greets', async () => {
    await open()
    const mute = createServer(() => {}).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as AddressInfo
    expect(await failure(serverAt(`smtp://127.0.0.1:${port}`).post(letter))).toMatchObject({
      code: null,
      isFinal: false,
      message: expect.stringContaining('ETIMEDOUT') as string,
    })
    mute.close()
  })

  test('when the server falls silent over it', async () => {
    const { port } = await open()
    const { promise, resolve } = Promise.withResolvers<void>()
    receiver.onMail = () => promise
    expect(await failure(serverAt(`smtp://127.0.0.1:${port}`).post(letter))).toMatchObject({ isFinal: false })
    resolve()
  })

  test('when the connection breaks in the middle of it', async () => {
    const { port } = await open()
    receiver.onMail = () => receiver.hangUp()
    expect(await failure(serverAt(`smtp://127.0.0.1:${port}`).post(letter))).toMatchObject({
      code: null,
      isFinal: false,
    })
  })

  test('when we are not let in, and no password is repeated', async () => {
    const { port } = await open({ login: { user: 'desk', password: 'right' } })
    for (const login of ['desk:wrong-password@', '']) {
      const failed = await failure(serverAt(`smtp://${login}127.0.0.1:${port}`).post(letter))
      expect(failed.isFinal).toBe(false)
      expect(failed.code).toBe(login ? 535 : 530)
      expect(failed.message).not.toContain('wrong-password')
    }
    await serverAt(`smtp://desk:right@127.0.0.1:${port}`).post(letter)
    expect(receiver.ways).toEqual([{ isEncrypted: false, user: 'desk' }])
  })
})

describe.skipIf(!canMakeCertificate)('encryption', () => {
  test.each(['tls', 'starttls'] as const)(
    'by %s is refused to a certificate that nobody knows',
    async (security) => {
      const certificate = makeCertificate()
      const { port } = await open({ security, certificate })
      const scheme = security === 'tls' ? 'smtps' : 'smtp'
      const url = `${scheme}://localhost:${port}?requireTLS=true`
      expect(await failure(serverAt(url).post(letter))).toMatchObject({
        isFinal: false,
        message: expect.stringMatching(/self.signed|certificate/) as string,
      })
      expect(receiver.shown).toEqual([])
      certificate.remove()
    },
  )

  test('is asked for and not there: nothing is said', async () => {
    const { port } = await open()
    expect(await failure(serverAt(`smtp://127.0.0.1:${port}?requireTLS=true`).post(letter))).toMatchObject({
      isFinal: false,
      message: expect.stringContaining('TLS') as string,
    })
    expect(receiver.shown).toEqual([])
  })
})

test('nothing in a mail has a file or an address fetched', async () => {
  const { port } = await open()
  const attachment = { filename: 'passwd', path: '/etc/passwd' }
  expect(
    await failure(serverAt(`smtp://127.0.0.1:${port}`).post({ ...letter, attachments: [attachment] })),
  ).toMatchObject({ message: expect.stringContaining('File access rejected') as string })
})
