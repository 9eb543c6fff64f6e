import { useParams } from 'react-router'
import { IncomingMailPage } from '../../../features/mailboxes/incoming-mail-page.tsx'
import { MailboxPage, NewMailboxPage } from '../../../features/mailboxes/mailbox-page.tsx'
import { MailboxesPage } from '../../../features/mailboxes/mailboxes-page.tsx'
import { NotFoundPage } from '../not-found-page.tsx'
import { rowId } from '../row-id.ts'

export function MailboxesRoute() {
  return <MailboxesPage />
}

export function NewMailboxRoute() {
  return <NewMailboxPage />
}

export function MailboxRoute() {
  const mailboxId = rowId(useParams()['mailboxId'])
  return mailboxId === null ? <NotFoundPage /> : <MailboxPage key={mailboxId} mailboxId={mailboxId} />
}

export function IncomingMailRoute() {
  return <IncomingMailPage />
}
