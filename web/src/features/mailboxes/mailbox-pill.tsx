import { useTranslation } from 'react-i18next'
import { Pill } from '../../components/pill.tsx'

/** What is known of a mailbox that is read, or not. */
export interface MailboxSigns {
  isEnabled: boolean
  hasSecret: boolean
  mailboxState: { lastFetchedAt: string | null; failingSince: string | null } | null
}

export type Condition = 'off' | 'noSecret' | 'failing' | 'waiting' | 'reading'

const TONES = {
  off: 'neutral',
  noSecret: 'warning',
  failing: 'danger',
  waiting: 'neutral',
  reading: 'success',
} as const

/** How it goes with a mailbox, in a word. */
export function conditionOf({ isEnabled, hasSecret, mailboxState }: MailboxSigns): Condition {
  if (!isEnabled) return 'off'
  if (!hasSecret) return 'noSecret'
  if (mailboxState?.failingSince) return 'failing'
  return mailboxState?.lastFetchedAt ? 'reading' : 'waiting'
}

export function MailboxPill({ mailbox }: { mailbox: MailboxSigns }) {
  const { t } = useTranslation('mailboxes')
  const condition = conditionOf(mailbox)
  return <Pill tone={TONES[condition]}>{t(`condition.${condition}`)}</Pill>
}
