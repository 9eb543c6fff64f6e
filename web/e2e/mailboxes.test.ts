import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dovecot, passwordOf, startDovecot } from '../../worker/mail-in/testing.ts'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage
let dovecot: Dovecot

beforeAll(async () => {
  ;[stage, dovecot] = await Promise.all([setStage(), startDovecot()])
}, 180_000)

afterAll(() => Promise.all([stage.close(), dovecot.close()]))

const picture =
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC'

const mail = (subject: string, headers: string[] = []) =>
  [
    'From: A customer <customer@acme.example>',
    'To: support@acme.example',
    `Subject: ${subject}`,
    `Message-ID: <${subject.replaceAll(' ', '-')}@acme.example>`,
    'Date: Thu, 26 Nov 2026 09:12:44 +0100',
    'MIME-Version: 1.0',
    ...headers,
    'Content-Type: multipart/related; boundary="r"',
    '',
    '--r',
    'Content-Type: multipart/alternative; boundary="a"',
    '',
    '--a',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'The barrier does not open.',
    '',
    'On Wed, 25 Nov 2026 at 16:11, Support <support@acme.example> wrote:',
    '> Which barrier is it?',
    '--a',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p style="color: #b00020; font-size: 24px">The barrier does <b>not</b> open.</p><img src="cid:shot@acme" alt="The display">',
    '<img src="https://track.example/pixel.gif"><script>document.title = "owned"</script>',
    '--a--',
    '--r',
    'Content-Type: image/png; name="display.png"',
    'Content-Disposition: inline; filename="display.png"',
    'Content-ID: <shot@acme>',
    'Content-Transfer-Encoding: base64',
    '',
    picture,
    '--r--',
    '',
  ].join('\r\n')

test('a mailbox is added, tried, read, and what comes by it is seen', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/mailboxes')
  await admin.getByText('No mail comes in yet').waitFor()
  expect(await violationsOf(admin)).toEqual([])

  await admin.getByRole('link', { name: 'Add a mailbox' }).first().click()
  await admin.getByRole('heading', { level: 1, name: 'New mailbox' }).waitFor()
  await admin.getByLabel('Name', { exact: true }).fill('Acme Support')
  await admin.getByRole('button', { name: 'Add mailbox' }).click()
  await admin.getByText('Enter something here.').first().waitFor()
  await admin.getByLabel('Address', { exact: true }).fill('support@acme.example')
  await admin.getByLabel('IMAP server').fill('127.0.0.1')
  await admin.getByRole('button', { name: 'Encryption' }).click()
  await admin.getByRole('option', { name: 'None' }).click()
  await admin.getByText('readable for whoever is on the way').waitFor()
  await admin.getByLabel('Port', { exact: true }).fill(String(dovecot.port))
  await admin.getByLabel('User name').fill('support')
  await admin.getByRole('textbox', { name: 'Password' }).fill('wrong')
  expect(await violationsOf(admin)).toEqual([])
  await admin.getByRole('button', { name: 'Add mailbox' }).click()

  await admin.getByRole('heading', { level: 1, name: 'Acme Support' }).waitFor()
  await admin.getByRole('button', { name: 'Test the connection' }).click()
  await admin.getByText('The server refused the user name or password.').waitFor()
  // In the server's own words for who asks for them, and once: reading the mailbox comes upon the same.
  const raw = admin.getByText('The server refused the login:')
  expect(await raw.isVisible()).toBe(false)
  await admin.getByText('What the server said').click()
  await raw.waitFor()
  await admin.getByText('Cannot be read since').waitFor()
  expect(await raw.count()).toBe(1)
  expect(await violationsOf(admin)).toEqual([])
  // What was found is not about what is typed since, nor about what is saved then.
  const refusedLogin = admin
    .getByRole('status')
    .filter({ hasText: 'The server refused the user name or password.' })
  expect(await refusedLogin.count()).toBe(1)
  await admin.getByRole('textbox', { name: 'Password' }).fill(passwordOf('support'))
  await admin.getByText('Save what you changed first').waitFor()
  expect(await refusedLogin.count()).toBe(0)
  await admin.getByRole('button', { name: 'Save changes' }).click()
  await admin.getByText('Acme Support was saved').first().waitFor()
  await admin.getByText('Save what you changed first').waitFor({ state: 'detached' })
  await expect.poll(() => refusedLogin.count()).toBe(0)
  await dovecot.deliver('support', mail('Barrier at the gate'))
  await dovecot.deliver('support', mail('Out of office: away', ['Auto-Submitted: auto-replied']))
  await admin.getByRole('button', { name: 'Test the connection' }).click()
  await admin.getByText(/The connection works/).waitFor()

  await admin.goto('/desk/admin/incoming-mail')
  const row = (subject: string) => admin.getByRole('listitem').filter({ hasText: subject })
  await expect
    .poll(
      async () => {
        await admin.getByRole('button', { name: 'Read again' }).click()
        const taken = await row('Barrier at the gate').getByText('On a ticket').count()
        return taken + (await row('Out of office').getByText('An automatic reply.').count())
      },
      { timeout: 30_000 },
    )
    .toBe(2)
  expect(await violationsOf(admin)).toEqual([])
  await row('Out of office').getByRole('button', { name: 'Take it all the same' }).click()
  await admin.getByRole('alertdialog').getByRole('button', { name: 'Take it all the same' }).click()
  await expect
    .poll(
      async () => {
        await admin.getByRole('button', { name: 'Read again' }).click()
        return row('Out of office').getByText('On a ticket').count()
      },
      { timeout: 20_000 },
    )
    .toBe(1)

  await row('Barrier at the gate')
    .getByRole('link', { name: /^[A-Z]+-\d+$/ })
    .click()
  await admin.getByText('The barrier does not open.').first().waitFor()
  expect(await admin.getByText('Which barrier is it?').count()).toBe(0)
  await admin.getByRole('button', { name: 'Show quoted text' }).click()
  await admin.getByText('Which barrier is it?').waitFor()
  await admin.getByRole('button', { name: 'Show the original mail' }).click()
  const frame = admin.frameLocator('iframe[title="The mail as its sender wrote it"]')
  await frame.getByText('The barrier does').waitFor()
  // What the mail wanted to look like, its own picture, and nothing that runs or is fetched.
  const inFrame = (what: string) =>
    admin.evaluate<unknown>(`(({ contentDocument }) => ${what})(document.querySelector('iframe'))`)
  await expect
    .poll(() => inFrame(`getComputedStyle(contentDocument.querySelector('p')).fontSize`))
    .toBe('24px')
  await expect
    .poll(() => inFrame(`contentDocument.querySelector('[alt="The display"]').naturalWidth`))
    .toBe(10)
  expect(await admin.title()).not.toBe('owned')
  await admin.getByText('are left out').waitFor()
  expect(await violationsOf(admin)).toEqual([])
  expect(complaints).toEqual([])

  await admin.goto('/desk/admin/mailboxes')
  await admin.getByText('Is read').waitFor()
  await admin.getByRole('link', { name: 'Acme Support' }).click()
  await admin.getByRole('button', { name: 'Put away' }).click()
  await admin.getByRole('alertdialog').getByRole('button', { name: 'Put away' }).click()
  await admin.getByText('No mail comes in yet').waitFor()

  // Who wrote it sees how it looked, too.
  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@acme.example')
  await customer.getByRole('link', { name: /Barrier at the gate/ }).click()
  await customer.getByRole('button', { name: 'Show the original mail' }).click()
  await customer.frameLocator('iframe').getByText('The barrier does').waitFor()
}, 120_000)
