import { useTranslation } from 'react-i18next'
import { Pill } from '../../components/pill.tsx'

export type Outcome = 'acted' | 'unchanged' | 'refused' | 'loop_stopped'

const TONES = { acted: 'success', unchanged: 'neutral', refused: 'danger', loop_stopped: 'warning' } as const

export interface OutcomePillProps {
  outcome: Outcome
  /** Whether it only would be so. */
  isTrial?: boolean
}

/** What became of a run. */
export function OutcomePill({ outcome, isTrial = false }: OutcomePillProps) {
  const { t } = useTranslation('automations')
  return <Pill tone={TONES[outcome]}>{t(`${isTrial ? 'wouldBe' : 'outcome'}.${outcome}`)}</Pill>
}
