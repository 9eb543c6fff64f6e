import { useParams } from 'react-router'
import { readMailKind } from '../../../features/mail/mail-kinds.ts'
import { MailPage } from '../../../features/mail/mail-page.tsx'
import { OutboxMailPage } from '../../../features/mail/outbox-mail-page.tsx'
import { OutboxPage } from '../../../features/mail/outbox-page.tsx'
import { WordingPage } from '../../../features/mail/wording-page.tsx'
import { NotFoundPage } from '../not-found-page.tsx'
import { rowId } from '../row-id.ts'

export function MailRoute() {
  return <MailPage />
}

export function WordingRoute() {
  const kind = readMailKind(useParams()['kind'])
  return kind ? <WordingPage key={kind} kind={kind} /> : <NotFoundPage />
}

export function OutboxRoute() {
  return <OutboxPage />
}

export function OutboxMailRoute() {
  const mailId = rowId(useParams()['mailId'])
  return mailId ? <OutboxMailPage key={mailId} mailId={mailId} /> : <NotFoundPage />
}
