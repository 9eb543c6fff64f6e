import { Paperclip } from 'lucide-react'
import type { Ref } from 'react'
import { FileTrigger } from 'react-aria-components/FileTrigger'
import { useTranslation } from 'react-i18next'
import { sizeText } from '../lib/file-kind.ts'
import type { FileLimits } from '../lib/upload-queue.ts'
import { Button } from './button.tsx'
import { Tooltip } from './tooltip.tsx'

/** What may be attached, in a sentence; empty until it is known. */
export function useLimitsText(limits: FileLimits | null): string {
  const { t, i18n } = useTranslation('components')
  if (!limits) return ''
  const size = sizeText(limits.maxFileBytes, i18n.language)
  const counted = t('files.limits', { count: limits.maxFiles, size })
  if (limits.allowedTypes.length === 0) return counted
  const types = new Intl.ListFormat(i18n.language, { type: 'unit' }).format(limits.allowedTypes)
  return `${counted} ${t('files.allowedTypes', { types })}`
}

export interface AttachButtonProps {
  limits: FileLimits | null
  onFiles: (files: File[]) => void
  isDisabled?: boolean
  /** With words where there is room for them, else the sign alone. */
  look?: 'words' | 'sign'
  buttonRef?: Ref<HTMLButtonElement> | undefined
}

/** Chooses files to attach. */
export function AttachButton({
  limits,
  onFiles,
  isDisabled = false,
  look = 'sign',
  buttonRef,
}: AttachButtonProps) {
  const { t } = useTranslation('components')
  const limitsText = useLimitsText(limits)
  const trigger = (
    <FileTrigger
      allowsMultiple
      onSelect={(chosen) => {
        if (chosen) onFiles([...chosen])
      }}
    >
      {look === 'words' ? (
        <Button buttonRef={buttonRef} isDisabled={isDisabled}>
          <Paperclip className="size-4" aria-hidden="true" />
          {t('files.attach')}
        </Button>
      ) : (
        <Button
          buttonRef={buttonRef}
          variant="quiet"
          isIconOnly
          isDisabled={isDisabled}
          aria-label={t('files.attach')}
        >
          <Paperclip className="size-4" aria-hidden="true" />
        </Button>
      )}
    </FileTrigger>
  )
  return look === 'words' ? (
    trigger
  ) : (
    <Tooltip text={[t('files.attach'), limitsText].filter(Boolean).join(' – ')}>{trigger}</Tooltip>
  )
}
