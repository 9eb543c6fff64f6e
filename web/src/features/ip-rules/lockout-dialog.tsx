import { useTranslation } from 'react-i18next'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { useSubmission } from '../../lib/submission.ts'
import { BreakGlassCommand } from './break-glass-command.tsx'

export interface LockoutDialogProps {
  isOpen: boolean
  /** What the button does all the same, as a verb. */
  action: string
  run: () => Promise<void>
  onClose: () => void
}

/** Says that a change would keep out the admin who makes it, and asks whether that is meant. */
export function LockoutDialog({ isOpen, action, run, onClose }: LockoutDialogProps) {
  const { t } = useTranslation('ip-rules')
  const { send, isSending, problem } = useSubmission()
  return (
    <ConfirmDialog
      title={t('lockout.title')}
      action={action}
      isOpen={isOpen}
      isPending={isSending}
      onClose={onClose}
      onConfirm={() =>
        void send(async () => {
          await run()
          onClose()
        })
      }
    >
      <p>{t('lockout.body')}</p>
      <p>
        {t('lockout.wayBack')} <BreakGlassCommand />
      </p>
      {problem && <ProblemAlert problem={problem} />}
    </ConfirmDialog>
  )
}
