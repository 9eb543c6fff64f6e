import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { AttachButton, useLimitsText } from './attach-button.tsx'
import { AttachedFiles } from './attached-files.tsx'
import { DropVeil } from './drop-veil.tsx'
import { InlineAlert } from './inline-alert.tsx'
import type { Attaching } from './use-attaching.ts'
import { useFileDrop } from './use-file-drop.ts'

export interface AttachFieldProps {
  attaching: Attaching
  isLocked: boolean
  /** Whether sending was tried while a file of it was not there. */
  isTroubled: boolean
}

/** Files in a form: chosen, dropped or pasted. */
export function AttachField({ attaching, isLocked, isTroubled }: AttachFieldProps) {
  const { t } = useTranslation('components')
  const id = useId()
  const isOver = useFileDrop(attaching.drop)
  const limitsText = useLimitsText(attaching.limits)
  const isEmpty = attaching.files.length + attaching.uploads.length === 0
  return (
    <div role="group" aria-label={t('files.attached')} aria-describedby={id} className="flex flex-col gap-2">
      <div
        className={classNames(
          'relative flex flex-col gap-3 rounded-xl border border-dashed border-border-strong p-3',
          isEmpty && 'bg-surface/50',
        )}
      >
        <AttachedFiles attaching={attaching} isLocked={isLocked} />
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <AttachButton
            look="words"
            buttonRef={attaching.button}
            limits={attaching.limits}
            onFiles={attaching.add}
            isDisabled={isLocked}
          />
          <p id={id} className="min-w-0 flex-1 basis-48 text-sm text-muted">
            {limitsText} <span className="pointer-coarse:hidden">{t('files.hint')}</span>
          </p>
        </div>
        {isOver && <DropVeil />}
      </div>
      {isTroubled && attaching.hasTrouble && (
        <InlineAlert>{t(attaching.canTryAgain ? 'files.trouble' : 'files.troubleRefused')}</InlineAlert>
      )}
    </div>
  )
}
