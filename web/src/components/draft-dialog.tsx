import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { Dialog, type DialogProps } from './dialog.tsx'

export interface DraftDialogProps extends Omit<DialogProps, 'role' | 'placement'> {
  /** Whether something was typed that is not sent. */
  hasDraft: boolean
}

/** A window with a form in it: Escape, a press beside it or the cross take nothing away without asking. */
export function DraftDialog({ hasDraft, onClose, children, ...props }: DraftDialogProps) {
  const { t } = useTranslation('components')
  const [asks, setAsks] = useState(false)
  return (
    <Dialog
      {...props}
      onClose={() => {
        if (hasDraft) setAsks(true)
        else onClose()
      }}
    >
      {children}
      <ConfirmDialog
        title={t('draft.title')}
        action={t('discard')}
        isOpen={asks}
        onClose={() => setAsks(false)}
        onConfirm={() => {
          setAsks(false)
          onClose()
        }}
      >
        <p>{t('draft.body')}</p>
      </ConfirmDialog>
    </Dialog>
  )
}
