import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { copyText } from '../lib/clipboard.ts'
import { Button } from './button.tsx'

/** How long the tick stands. */
const SHOWN_MS = 2_500

export interface CopyButtonProps {
  text: string
  /** What is copied: "Copy the secret". The button itself may say less. */
  label: string
  isIconOnly?: boolean
  className?: string
}

/** Copies a text and says whether that worked. */
export function CopyButton({ text, label, isIconOnly = false, className }: CopyButtonProps) {
  const { t } = useTranslation('components')
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready')
  useEffect(() => {
    if (state === 'ready') return
    const timer = setTimeout(() => setState('ready'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [state])
  const words = state === 'ready' ? label : t(`copy.${state}`)
  const Sign = state === 'copied' ? Check : Copy
  return (
    <>
      <Button
        size="small"
        isIconOnly={isIconOnly}
        {...(isIconOnly ? { 'aria-label': label, variant: 'quiet' } : {})}
        {...(className ? { className } : {})}
        onPress={() => void copyText(text).then((isCopied) => setState(isCopied ? 'copied' : 'refused'))}
      >
        <Sign className="size-4" aria-hidden="true" />
        {!isIconOnly && words}
      </Button>
      <span role="status" className="sr-only">
        {state === 'ready' ? '' : words}
      </span>
    </>
  )
}
