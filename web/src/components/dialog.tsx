import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { Dialog as AriaDialog } from 'react-aria-components/Dialog'
import { Heading } from 'react-aria-components/Heading'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'
import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { Button } from './button.tsx'

export interface DialogProps {
  title: string
  isOpen: boolean
  onClose: () => void
  children: ReactNode
  /** `side` slides a panel in from the start edge: the navigation on a small screen. */
  placement?: 'center' | 'side'
  /** An `alertdialog` asks for a decision: a press beside it is none. */
  role?: 'dialog' | 'alertdialog'
}

/** A window over the page. It holds the focus, closes with Escape or a press beside it, and gives the focus back. */
export function Dialog(props: DialogProps) {
  const { title, isOpen, onClose, children, placement = 'center', role = 'dialog' } = props
  const { t } = useTranslation('components')
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={role === 'dialog'}
      className={classNames(
        'fixed inset-0 z-40 flex bg-scrim',
        placement === 'center' ? 'items-center justify-center p-4' : 'items-stretch justify-start',
      )}
    >
      <Modal
        className={classNames(
          'flex max-h-full flex-col overflow-auto border-border bg-raised shadow-overlay data-[entering]:animate-enter',
          placement === 'center' ? 'w-full max-w-lg rounded-xl border' : 'w-72 max-w-[85vw] border-e',
        )}
      >
        <AriaDialog role={role} className="flex flex-col gap-4 p-5 outline-none">
          <div className="flex items-start justify-between gap-4">
            <Heading slot="title" className="text-lg font-semibold">
              {title}
            </Heading>
            <Button
              variant="quiet"
              size="small"
              isIconOnly
              aria-label={t('close')}
              onPress={onClose}
              className="-me-1.5 -mt-1"
            >
              <X className="size-4" aria-hidden="true" />
            </Button>
          </div>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
