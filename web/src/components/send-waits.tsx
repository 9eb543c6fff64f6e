import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from './button.tsx'
import { Spinner } from './spinner.tsx'

export interface SendWordsProps {
  /** For how many files sending waits. */
  waitsFor: number
  /** What the button says otherwise. */
  children: ReactNode
}

/** The words of a button that sends: while files are on their way, that it waits for them. */
export function SendWords({ waitsFor, children }: SendWordsProps) {
  const { t } = useTranslation('components')
  return (
    <>
      {waitsFor > 0 && <Spinner className="size-4" />}
      <span role="status" className="contents">
        {waitsFor > 0 && t('files.sendWaits', { count: waitsFor })}
      </span>
      {waitsFor === 0 && children}
    </>
  )
}

export interface StopWaitingProps {
  waitsFor: number
  onStop: () => void
  size?: 'medium' | 'large'
}

/** Lets go of what is to be sent when the files are there. */
export function StopWaiting({ waitsFor, onStop, size = 'medium' }: StopWaitingProps) {
  const { t } = useTranslation('components')
  if (waitsFor === 0) return null
  return (
    <Button variant="quiet" size={size} onPress={onStop}>
      {t('files.stopWaiting')}
    </Button>
  )
}
