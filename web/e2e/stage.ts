import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFailed } from 'vitest'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { compileCache } from '../../infra/dev/compile-cache.ts'
import { withClient } from '../../infra/dev/database.ts'
import { demo } from '../../infra/dev/demo.ts'
import { nextFreePort } from '../../infra/dev/ports.ts'
import { repository } from '../../infra/dev/repository.ts'
import { findProgram } from '../../infra/dev/system-packages.ts'
import { createDemoDatabase, type TestDatabase } from '../../infra/dev/testing.ts'
import { buildWeb } from '../../infra/dev/web-build.ts'
import { type MailReceiver, startMailReceiver } from '../../worker/mail/testing.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What seals secrets in the database of a stage. */
export const encryptionKey = 'only-for-the-tests-only-for-the-tests-only'

/** The whole product as `npm start` runs it, on a database of the test's own with the demo in it. */
export interface Stage {
  address: string
  database: TestDatabase
  /** The mail server of the product, with what it was given. */
  mails: MailReceiver
  /** A person's browser, with nothing kept from anybody else's. */
  open: (options?: {
    viewport?: { width: number; height: number }
    colorScheme?: 'light' | 'dark'
  }) => Promise<Page>
  close: () => Promise<void>
}

/** What a test gives server and worker besides, such as a scanner or a mailbox. */
export interface StageOptions {
  environment?: Record<string, string>
}

/** Builds the web if its sources changed, and starts server, worker and Chromium. */
export async function setStage({ environment = {} }: StageOptions = {}): Promise<Stage> {
  const [database] = await Promise.all([createDemoDatabase(), buildWeb(AbortSignal.timeout(120_000))])
  // Long enough to be seen on its way, and no longer.
  await undoSendSeconds(database, 1)
  // Two runs that start at the same moment on one machine look in different places.
  const port = await nextFreePort(18_500 + (process.pid % 400) * 4)
  const address = `http://localhost:${port}`
  const mails = await startMailReceiver()
  const dataDirectory = mkdtempSync(join(tmpdir(), 'atum-e2e-'))
  const common = {
    ...compileCache,
    ATUM_DATA_DIR: dataDirectory,
    LOG_LEVEL: 'warn',
    NODE_ENV: 'development',
    ATTACHMENT_SCANNER: 'off',
    SMTP_URL: `smtp://127.0.0.1:${mails.port}`,
    ...environment,
  }
  const processes = [
    start('server/main.ts', {
      ...common,
      DATABASE_URL: database.serverUrl,
      PORT: String(port),
      HOST: '127.0.0.1',
      ATUM_PUBLIC_URL: address,
      ATUM_JWT_SECRET: 'only-for-the-tests-only-for-the-tests-only',
      ATUM_ENCRYPTION_KEY: encryptionKey,
      // A test clicks faster than a person.
      ATUM_RATE_LIMITS: 'off',
      // The screens ask nothing that production would refuse.
      ATUM_TRUSTED_DOCUMENTS: 'only',
    }),
    start('worker/main.ts', {
      ...common,
      DATABASE_URL: database.workerUrl,
      ATUM_ENCRYPTION_KEY: encryptionKey,
      ATUM_PUBLIC_URL: address,
      ATUM_MAIL_FROM: 'ATUM Desk <desk@acme.example>',
    }),
  ]
  const [browser] = await Promise.all([
    chromium.launch({
      executablePath: findProgram('chromium', 'chromium-browser', 'google-chrome') ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
      ],
    }),
    answers(`http://127.0.0.1:${port}/readyz`, processes),
  ])
  return {
    address,
    database,
    mails,
    open: (options = {}) => openPage(browser, address, options),
    async close() {
      await browser.close()
      for (const child of processes) child.kill('SIGTERM')
      await Promise.all(processes.map((child) => (child.exitCode === null ? once(child, 'exit') : null)))
      await mails.close()
      await database.drop()
      rmSync(dataDirectory, { recursive: true, force: true })
    },
  }
}

/** For how long a reply can be taken back, in every organization. */
export async function undoSendSeconds(database: TestDatabase, seconds: number): Promise<void> {
  await withClient(database.superuserUrl, (client) =>
    client.query('update app_public.ticket_settings set undo_send_seconds = $1', [seconds]),
  )
}

/** Logs in by the form of a door and waits until it opens. */
export async function logInByForm(page: Page, door: 'portal' | 'desk', email: string): Promise<void> {
  await page.goto(`/${door}/login`)
  await fillSignIn(page, email, demo.password)
  await page.waitForURL(`**/${door}`)
}

/**
 * Logs in as the form does, only without it, and opens what is behind a door: the door itself, unless a place is
 * named. For whoever is not about logging in, it saves a page.
 */
export async function logIn(
  page: Page,
  door: 'portal' | 'desk',
  email: string,
  place = `/${door}`,
): Promise<void> {
  const askIn = () =>
    page.request.post('/api/v1/auth/login', {
      headers: { 'x-atum-request': '1' },
      data: { email, password: demo.password },
    })
  let answer = await askIn()
  // Which is to say: try again in a moment. A machine that is busy takes its time for the first connection.
  for (let attempt = 1; answer.status() === 503 && attempt < 20; attempt += 1) {
    await delay(250)
    answer = await askIn()
  }
  if (!answer.ok()) throw new Error(`${email} was not let in: ${await answer.text()}`)
  // The cookie is there; that there is a session, the form would have noted too. Once: it must not outlive a logout.
  const note = await page.addInitScript({
    content: "if (self === top) localStorage.setItem('atum.session', '1')",
  })
  await page.goto(place)
  await note.dispose()
  await page.locator('main#content').waitFor()
  if (new URL(page.url()).pathname.endsWith('/login')) throw new Error(`${email} stands at ${page.url()}`)
}

/** Fills in the form of whatever sign-in page is open. */
export async function fillSignIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** The link in the latest mail of a kind to somebody, once it has come. */
export async function linkFor({ mails, address }: Stage, recipient: string, path: string): Promise<string> {
  const pattern = new RegExp(`${address}(/${path}#token=[0-9a-f]+)`)
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const links = mails.taken
      .filter(({ recipients }) => recipients.includes(recipient))
      .map(({ text }) => pattern.exec(text)?.[1])
    const link = links.findLast((each) => each !== undefined)
    if (link) return link
    await delay(100)
  }
  throw new Error(`No mail to ${recipient} had a link to /${path}`)
}

/** What axe finds on the page, once it is there. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await page.evaluate(axe)
  return page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' ' + target)))`,
  )
}

/** The page's complaints: what a person never sees and a maintainer wants to. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return complaints
}

async function openPage(
  browser: Browser,
  address: string,
  options: Parameters<Stage['open']>[0],
): Promise<Page> {
  const context: BrowserContext = await browser.newContext({
    baseURL: address,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  })
  context.setDefaultTimeout(30_000)
  const page = await context.newPage()
  onTestFailed(() => describeScreen(page))
  return page
}

/** What a person had in front of them when the test failed, for whoever reads its output. */
async function describeScreen(page: Page): Promise<void> {
  const screen = page.locator('body')
  console.error(
    `${page.url()} showed:\n${await screen.ariaSnapshot().catch((error: Error) => error.message)}`,
  )
}

function start(script: string, environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [script], {
    cwd: repository,
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function answers(url: string, processes: ChildProcess[]): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const dead = processes.find((child) => child.exitCode !== null)
    if (dead) throw new Error(`${dead.spawnargs.join(' ')} ended with ${dead.exitCode}`)
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok) {
      const { status } = (await response.json()) as { status: string }
      // Degraded until the worker has been heard of.
      if (status === 'ok') return
    }
    if (performance.now() > deadline) throw new Error(`${url} did not answer in time`)
    await delay(25)
  }
}
