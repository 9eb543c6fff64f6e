import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'

export interface ConfirmDialogProps {
  /** The question: "End this session?" */
  title: string
  /** What happens then. */
  children: ReactNode
  /** What the button does, as a verb: "End session". */
  action: string
  isOpen: boolean
  isPending?: boolean
  /** `primary` for what takes nothing away. */
  tone?: 'danger' | 'primary'
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something is done that cannot be undone. The way back has the focus. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, action, isOpen, isPending = false, tone = 'danger', onConfirm, onClose } = props
  const { t } = useTranslation('components')
  return (
    <Dialog title={title} role="alertdialog" isOpen={isOpen} onClose={onClose}>
      <div className="flex flex-col gap-3 text-muted">{children}</div>
      <div className="flex flex-wrap justify-end gap-2 pt-1">
        <Button autoFocus onPress={onClose}>
          {t('cancel')}
        </Button>
        <Button variant={tone} isPending={isPending} onPress={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  )
}
