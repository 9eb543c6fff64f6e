import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Problem } from '../graphql/errors.ts'
import { useNow } from '../lib/clock.ts'
import { clockParts } from '../lib/deadline.ts'
import { InlineAlert } from './inline-alert.tsx'

/** What a form was refused for; where the server asks to wait, the time until the next try runs down beside it. */
export function ProblemAlert({ problem }: { problem: Problem }) {
  const { t } = useTranslation('errors')
  return (
    <InlineAlert>
      {t(problem.code)}{' '}
      {problem.retryAt !== undefined && <Wait key={problem.retryAt} until={problem.retryAt} />}
    </InlineAlert>
  )
}

function Wait({ until }: { until: number }) {
  const { t } = useTranslation('components')
  const now = useNow('second')
  const [from] = useState(now)
  // Upwards: at "0m 00s" one may try, not before.
  const length = (start: number) => {
    const { scale, ...parts } = clockParts(Math.ceil(Math.max(0, until - start) / 1000) * 1000)
    return t(`clock.${scale}`, parts)
  }
  if (now >= until) return t('wait.over')
  return (
    <>
      {/* An alert reads out whatever changes in it: the length is said once, the seconds are only seen. */}
      <span className="sr-only">{t('wait.left', { length: length(from) })}</span>
      <span aria-hidden="true" className="figures font-medium">
        {t('wait.left', { length: length(now) })}
      </span>
    </>
  )
}
