import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { TextField } from '../../components/text-field.tsx'
import { localInputValue, snoozeTime } from '../../lib/snooze-times.ts'

export interface SnoozeDialogProps {
  isOpen: boolean
  onClose: () => void
  onChosen: (until: Date) => void
}

/** Asks until when, for a time that is not in the menu. */
export function SnoozeDialog({ isOpen, onClose, onChosen }: SnoozeDialogProps) {
  const { t } = useTranslation('ticket-work')
  return (
    <Dialog title={t('snooze.own')} isOpen={isOpen} onClose={onClose}>
      <SnoozeForm onClose={onClose} onChosen={onChosen} />
    </Dialog>
  )
}

function SnoozeForm({ onClose, onChosen }: Omit<SnoozeDialogProps, 'isOpen'>) {
  const { t } = useTranslation(['ticket-work', 'components'])
  const [typed, setTyped] = useState(() => {
    const now = new Date()
    return localInputValue(snoozeTime('tomorrow', now) ?? now)
  })
  const [isRefused, setIsRefused] = useState(false)

  function submit(event: FormEvent) {
    event.preventDefault()
    const until = new Date(typed)
    if (Number.isNaN(until.getTime()) || until.getTime() <= Date.now()) return setIsRefused(true)
    onChosen(until)
    onClose()
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('snooze.until')}
        type="datetime-local"
        autoFocus
        value={typed}
        onChange={(value) => {
          setTyped(value)
          setIsRefused(false)
        }}
        description={t('snooze.hint')}
        error={isRefused ? t('snooze.past') : null}
      />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary">
          {t('snooze.action')}
        </Button>
      </div>
    </form>
  )
}
