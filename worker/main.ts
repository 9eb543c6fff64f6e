import './thread-pool.ts'
import { join } from 'node:path'
import { run } from 'graphile-worker'
import { Pool } from 'pg'
import { pino } from 'pino'
import { createEncryption } from '../server/encryption.ts'
import { FileStorage } from '../server/storage/file-storage.ts'
import { readEnvironment } from './env.ts'
import { clamd } from './files/clamd.ts'
import { FilePlaces } from './files/file-places.ts'
import { startScannerWatch } from './files/scanner-watch.ts'
import { buryDeadWorkers, Heartbeat } from './heartbeat.ts'
import { MailReader } from './mail-in/mail-reader.ts'
import { MailStore } from './mail-in/mail-store.ts'
import { watchMailboxes } from './mail-in/mailbox-watch.ts'
import { queueLogger } from './queue-logger.ts'
import announceTicketEvents from './tasks/announce_ticket_events.ts'
import deliverReply from './tasks/deliver_reply.ts'
import deliverWebhook from './tasks/deliver_webhook.ts'
import fireSlaEscalation from './tasks/fire_sla_escalation.ts'
import indexTickets from './tasks/index_tickets.ts'
import processIncomingMail from './tasks/process_incoming_mail.ts'
import placeFile from './tasks/place_file.ts'
import recomputeSlaClocks from './tasks/recompute_sla_clocks.ts'
import recordSlaBreach from './tasks/record_sla_breach.ts'
import removeOldNotifications from './tasks/remove_old_notifications.ts'
import removeOldFiles from './tasks/remove_old_files.ts'
import rescanFiles from './tasks/rescan_files.ts'
import runAutomations from './tasks/run_automations.ts'
import scanFile from './tasks/scan_file.ts'
import sendAccountMail from './tasks/send_account_mail.ts'
import sendMail from './tasks/send_mail.ts'
import sendSurvey from './tasks/send_survey.ts'
import stopForgottenTimer from './tasks/stop_forgotten_timer.ts'
import sweepAnnouncements from './tasks/sweep_announcements.ts'
import sweepMailboxes from './tasks/sweep_mailboxes.ts'
import sweepContents from './tasks/sweep_contents.ts'
import sweepMail from './tasks/sweep_mail.ts'
import sweepOutgoingReplies from './tasks/sweep_outgoing_replies.ts'
import sweepSilentTickets from './tasks/sweep_silent_tickets.ts'
import sweepAutomations from './tasks/sweep_automations.ts'
import sweepSlaBreaches from './tasks/sweep_sla_breaches.ts'
import sweepSlaEscalations from './tasks/sweep_sla_escalations.ts'
import sweepSnoozedTickets from './tasks/sweep_snoozed_tickets.ts'
import sweepSurveys from './tasks/sweep_surveys.ts'
import sweepThrottles from './tasks/sweep_throttles.ts'
import sweepWebhooks from './tasks/sweep_webhooks.ts'
import testMailbox from './tasks/test_mailbox.ts'
import sweepWaitingFiles from './tasks/sweep_waiting_files.ts'
import wakeTicket from './tasks/wake_ticket.ts'
import writeDigests from './tasks/write_digests.ts'

const environment = readEnvironment()
const logger = pino({ name: 'worker', level: environment.logLevel })
const encryption = environment.encryptionKeys && createEncryption(environment.encryptionKeys)
if (!encryption) {
  logger.warn('there is no ATUM_ENCRYPTION_KEY: what needs a sealed secret (webhooks, mailboxes) is not done')
}
const scanner = environment.scanner && clamd(environment.scanner)
const places = new FilePlaces(environment.dataDirectory)
const storage = new FileStorage(environment.dataDirectory)
const mails = new MailStore(environment.dataDirectory)

// How many jobs wait for strangers at once. While they do, they hold no connection.
const outwardConcurrency = 16
// How many look into what strangers sent at once. While they do, they hold no connection either.
const inwardConcurrency = 6

const pool = new Pool({
  connectionString: environment.databaseUrl,
  application_name: 'atum-worker',
  // One for each job, two that listen, one for the heartbeat, one for what is known of the scanner, two for mail that
  // comes in, a few for the jobs that wait for strangers or look into what they sent.
  max: environment.concurrency + 11,
})
const onConnectionLost = (error: Error) =>
  logger.warn({ error: error.message }, 'a database connection was lost')
// Idle connections report to the pool, those in use to themselves.
pool.on('error', onConnectionLost)
pool.on('connect', (client) => client.on('error', onConnectionLost))

await buryDeadWorkers(pool, logger)

const heartbeat = new Heartbeat(pool, logger)
const mailboxes = watchMailboxes({
  pool,
  mails,
  encryption,
  environmentMailbox: environment.mailbox,
  leaseSeconds: environment.mailLeaseSeconds,
  allowInternal: environment.allowInternal,
  logger,
})

const common = {
  pgPool: pool,
  preset: { plugins: [heartbeat.plugin] },
  // A job is started at most this much after the instant it was scheduled for.
  pollInterval: 1_000,
  noHandleSignals: true,
  logger: queueLogger(logger),
}
const runner = await run({
  ...common,
  concurrency: environment.concurrency,
  crontabFile: join(import.meta.dirname, 'crontab'),
  taskList: {
    announce_ticket_events: announceTicketEvents,
    deliver_reply: deliverReply,
    fire_sla_escalation: fireSlaEscalation,
    index_tickets: indexTickets,
    place_file: placeFile(places),
    recompute_sla_clocks: recomputeSlaClocks,
    record_sla_breach: recordSlaBreach,
    remove_old_notifications: removeOldNotifications,
    remove_old_files: removeOldFiles(places),
    rescan_files: rescanFiles(scanner),
    run_automations: runAutomations,
    send_account_mail: sendAccountMail(environment.mail),
    send_mail: sendMail(environment.mail, places),
    send_survey: sendSurvey,
    stop_forgotten_timer: stopForgottenTimer,
    sweep_announcements: sweepAnnouncements,
    sweep_mail: sweepMail,
    sweep_mailboxes: sweepMailboxes,
    sweep_contents: sweepContents(places),
    sweep_outgoing_replies: sweepOutgoingReplies,
    sweep_silent_tickets: sweepSilentTickets,
    sweep_automations: sweepAutomations,
    sweep_sla_breaches: sweepSlaBreaches,
    sweep_sla_escalations: sweepSlaEscalations,
    sweep_snoozed_tickets: sweepSnoozedTickets,
    sweep_surveys: sweepSurveys,
    sweep_throttles: sweepThrottles,
    sweep_webhooks: sweepWebhooks,
    sweep_waiting_files: sweepWaitingFiles,
    wake_ticket: wakeTicket,
    write_digests: writeDigests,
  },
})
// A receiver or a mail server that dawdles holds up others of its kind at most, and nobody's due times.
const outwardRunner = await run({
  ...common,
  concurrency: outwardConcurrency,
  parsedCronItems: [],
  taskList: {
    deliver_webhook: deliverWebhook(encryption, { allowInternal: environment.allowInternal }),
    test_mailbox: testMailbox(mailboxes.credentials, environment.allowInternal),
  },
})
// Nor does what is slow to be read or scanned; each organization has a line of its own there.
const inwardRunner = await run({
  ...common,
  concurrency: inwardConcurrency,
  parsedCronItems: [],
  taskList: {
    process_incoming_mail: processIncomingMail(mails, new MailReader(), storage, scanner !== undefined),
    scan_file: scanFile(scanner, places),
  },
})
const runners = [runner, outwardRunner, inwardRunner]
const stopScannerWatch = startScannerWatch(scanner, pool, logger)
logger.info({ concurrency: environment.concurrency }, 'the worker is ready')

let stopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    heartbeat.stop()
    stopScannerWatch()
    logger.info({ signal }, 'the worker stops')
    void Promise.all([...runners.map((each) => each.stop()), mailboxes.stop()])
      .then(() => heartbeat.leave())
      .catch((error: Error) => logger.error({ error: error.message }, 'the queue did not stop cleanly'))
      .finally(() => pool.end())
  })
}

await Promise.all(runners.map((each) => each.promise))
