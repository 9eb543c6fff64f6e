import { useTranslation } from 'react-i18next'
import { Button } from './button.tsx'

export interface SaveRowProps {
  isChanged: boolean
  isSending: boolean
  onDiscard: () => void
  /** For what is not there yet; otherwise "Save changes". */
  label?: string
}

/** The foot of a form that changes what is there: saves it, or puts back what was. */
export function SaveRow({ isChanged, isSending, onDiscard, label }: SaveRowProps) {
  const { t } = useTranslation('components')
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Button type="submit" variant="primary" isPending={isSending} isDisabled={!isChanged}>
        {label ?? t('save')}
      </Button>
      {isChanged && !isSending && (
        <Button variant="quiet" onPress={onDiscard}>
          {t('discard')}
        </Button>
      )}
    </div>
  )
}
