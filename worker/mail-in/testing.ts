import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ImapFlow } from 'imapflow'
import { nextFreePort } from '../../infra/dev/ports.ts'
import { findProgram } from '../../infra/dev/system-packages.ts'

/** A real IMAP server with a mailbox for every name, whose password is `pass-<name>`. */
export interface Dovecot {
  port: number
  /** Delivers a mail as a mail server would, and returns its number. */
  deliver: (user: string, source: Buffer | string, folder?: string) => Promise<number>
  /** What is in a folder, by number. */
  look: (user: string, folder?: string) => Promise<{ uid: number; seen: boolean; subject: string }[]>
  /** Removes a folder and makes it anew, so that its numbers begin again. */
  renew: (user: string, folder: string) => Promise<void>
  start: () => Promise<void>
  stop: () => Promise<void>
  /** Stops it, and leaves nothing behind. */
  close: () => Promise<void>
}

export const passwordOf = (user: string): string => `pass-${user}`

/** Whose mail a server of root keeps: it gives root none. */
const nobody = 65_534

/** Starts dovecot with a configuration of its own, in a directory of its own. `tokenInfoUrl` checks tokens of OAuth 2. */
export async function startDovecot({ tokenInfoUrl = '' } = {}): Promise<Dovecot> {
  const program = findProgram('dovecot', '/usr/sbin/dovecot')
  if (!program) throw new Error('There is no dovecot')
  const directory = mkdtempSync(join(tmpdir(), 'atum-dovecot-'))
  const port = await nextFreePort(21_430 + (process.pid % 400) * 4)
  const { uid, gid, username } = userInfo()
  const isRoot = uid === 0
  for (const name of ['mail', 'run', 'state']) mkdirSync(join(directory, name))
  if (isRoot) {
    chmodSync(directory, 0o755)
    chmodSync(join(directory, 'mail'), 0o777)
  }
  if (tokenInfoUrl) {
    writeFileSync(
      join(directory, 'oauth2.conf'),
      `tokeninfo_url = ${tokenInfoUrl}\nusername_attribute = user\nactive_attribute = active\nactive_value = yes\n`,
    )
  }
  const configuration = join(directory, 'dovecot.conf')
  writeFileSync(
    configuration,
    `
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login${tokenInfoUrl ? ' xoauth2 oauthbearer' : ''}
${isRoot ? '' : `default_internal_user = ${username}\ndefault_login_user = ${username}\ndefault_internal_group = ${gid}`}
first_valid_uid = 1
mail_location = maildir:${directory}/mail/%u
mail_max_userip_connections = 100
mail_fsync = never
namespace inbox {
  inbox = yes
  separator = /
}
${tokenInfoUrl ? `passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = ${directory}/oauth2.conf\n}` : ''}
passdb {
  driver = static
  args = password=pass-%u
}
userdb {
  driver = static
  args = uid=${isRoot ? nobody : uid} gid=${isRoot ? nobody : gid} home=${directory}/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
`,
  )

  let child: ChildProcess | undefined
  const withMailbox = async <Result>(
    user: string,
    work: (client: ImapFlow) => Promise<Result>,
  ): Promise<Result> => {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port,
      secure: false,
      auth: { user, pass: passwordOf(user) },
      logger: false,
      disableAutoIdle: true,
    })
    client.on('error', () => {})
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.logout().catch(() => {})
    }
  }

  const dovecot: Dovecot = {
    port,
    deliver: (user, source, folder = 'INBOX') =>
      withMailbox(user, async (client) => {
        const answer = await client.append(folder, Buffer.from(source))
        if (!answer || answer.uid === undefined) throw new Error('The mail was not taken')
        return answer.uid
      }),
    look: (user, folder = 'INBOX') =>
      withMailbox(user, async (client) => {
        await client.mailboxOpen(folder, { readOnly: true })
        const mails: { uid: number; seen: boolean; subject: string }[] = []
        for await (const mail of client.fetch('1:*', { uid: true, flags: true, envelope: true })) {
          mails.push({
            uid: mail.uid,
            seen: mail.flags?.has('\\Seen') ?? false,
            subject: mail.envelope?.subject ?? '',
          })
        }
        return mails
      }),
    renew: (user, folder) =>
      withMailbox(user, async (client) => {
        await client.mailboxDelete(folder).catch(() => {})
        await client.mailboxCreate(folder)
      }),
    start: async () => {
      child = spawn(program, ['-F', '-c', configuration], { stdio: ['ignore', 'ignore', 'inherit'] })
      const died = once(child, 'exit').then(([status]) => {
        throw new Error(`dovecot ended with ${String(status)}; see ${directory}/log`)
      })
      await Promise.race([died, answers(port)])
      died.catch(() => {})
    },
    stop: async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
    close: async () => {
      await dovecot.stop()
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await dovecot.start()
  return dovecot
}

/** Waits until the server greets whoever comes. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const greeted = await Promise.race([
      once(socket, 'data').then(() => true),
      once(socket, 'close').then(() => false),
      delay(2_000).then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (greeted) return
    await delay(50)
  }
}
