import { Archive, Check, CircleSlash, Clock, MailWarning, ShieldAlert, Undo2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Pill } from '../../components/pill.tsx'
import type { MailState } from './outbox-address.ts'

const LOOKS = {
  waiting: { tone: 'info', sign: Clock },
  sent: { tone: 'success', sign: Check },
  kept: { tone: 'warning', sign: Archive },
  failed: { tone: 'danger', sign: MailWarning },
  bounced: { tone: 'danger', sign: Undo2 },
  complained: { tone: 'danger', sign: ShieldAlert },
  cancelled: { tone: 'neutral', sign: CircleSlash },
} as const

/** Where a mail is. */
export function MailStatePill({ state }: { state: MailState }) {
  const { t } = useTranslation('mail')
  return <Pill {...LOOKS[state]}>{t(`state.${state}`)}</Pill>
}
