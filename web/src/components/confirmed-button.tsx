import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Problem } from '../graphql/errors.ts'
import { catchLostFocus } from '../lib/lost-focus.ts'
import { useSubmission } from '../lib/submission.ts'
import type { ButtonLook } from './button-classes.ts'
import { Button } from './button.tsx'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { InlineAlert } from './inline-alert.tsx'
import { ProblemAlert } from './problem-alert.tsx'

export interface ConfirmedButtonProps extends ButtonLook {
  /** What the button shows. */
  children: ReactNode
  /** The button's name where what it shows is a sign, or the same on every line. */
  label?: string
  /** The question: "End this session?" */
  title: string
  /** What happens then. */
  explanation: ReactNode
  /** What the dialog's button does, as a verb. */
  action: string
  /** Does it; throws what it was refused for. */
  run: () => Promise<void>
  /** What to do about a refusal, where there is more to say than its code does. */
  advice?: (problem: Problem) => ReactNode
  /** `primary` for what takes nothing away. */
  tone?: 'danger' | 'primary'
  isDisabled?: boolean
  className?: string
}

/** A button that asks before it does what it says, and stays with the question when that was refused. */
export function ConfirmedButton(props: ConfirmedButtonProps) {
  const { children, label, title, explanation, action, run, advice, tone, isDisabled, className, ...look } =
    props
  const { t } = useTranslation('errors')
  const [asks, setAsks] = useState(false)
  const { send, isSending, problem, clear } = useSubmission()
  const told = problem && advice?.(problem)
  const wasDone = useRef(false)

  // It may have removed the very line it stands in.
  useEffect(
    () => () => {
      if (wasDone.current) catchLostFocus()
    },
    [],
  )

  function ask() {
    clear()
    setAsks(true)
  }

  return (
    <>
      <Button
        {...look}
        {...(label ? { 'aria-label': label } : {})}
        {...(className ? { className } : {})}
        isDisabled={isDisabled ?? false}
        onPress={ask}
      >
        {children}
      </Button>
      <ConfirmDialog
        title={title}
        action={action}
        isOpen={asks}
        isPending={isSending}
        {...(tone ? { tone } : {})}
        onClose={() => setAsks(false)}
        onConfirm={() =>
          void send(async () => {
            await run()
            wasDone.current = true
            setAsks(false)
          })
        }
      >
        <div>{explanation}</div>
        {problem &&
          (told ? (
            <InlineAlert>
              {t(problem.code)} {told}
            </InlineAlert>
          ) : (
            <ProblemAlert problem={problem} />
          ))}
      </ConfirmDialog>
    </>
  )
}
