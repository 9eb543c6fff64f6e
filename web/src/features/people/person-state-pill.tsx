import { CircleSlash, MailQuestion } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Pill } from '../../components/pill.tsx'
import type { PersonState } from './person-state.ts'

const LOOKS = {
  invited: { tone: 'warning', sign: MailQuestion },
  disabled: { tone: 'neutral', sign: CircleSlash },
} as const

/** How an account stands. Most are in use, which is not worth a colour. */
export function PersonStatePill({ state }: { state: PersonState }) {
  const { t } = useTranslation('people')
  if (state === 'active') return <span className="text-sm text-muted">{t('state.active')}</span>
  return <Pill {...LOOKS[state]}>{t(`state.${state}`)}</Pill>
}
