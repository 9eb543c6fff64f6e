import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { TextField } from '../../components/text-field.tsx'
import type { BulkAction } from './use-bulk-change.ts'

export interface BulkTagsDialogProps {
  isOpen: boolean
  onClose: () => void
  onAct: (actions: BulkAction[]) => void
}

/** Which tags all chosen tickets get, and which they lose. */
export function BulkTagsDialog({ isOpen, onClose, onAct }: BulkTagsDialogProps) {
  const { t } = useTranslation('tickets')
  return (
    <Dialog title={t('bulk.tags')} isOpen={isOpen} onClose={onClose}>
      <BulkTagsForm onClose={onClose} onAct={onAct} />
    </Dialog>
  )
}

const tagsIn = (typed: string) =>
  typed
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean)

function BulkTagsForm({ onClose, onAct }: Omit<BulkTagsDialogProps, 'isOpen'>) {
  const { t } = useTranslation(['tickets', 'components'])
  const [added, setAdded] = useState('')
  const [removed, setRemoved] = useState('')

  function submit(event: FormEvent) {
    event.preventDefault()
    const actions: BulkAction[] = []
    if (tagsIn(added).length > 0) actions.push({ type: 'add_tags', tags: tagsIn(added) })
    if (tagsIn(removed).length > 0) actions.push({ type: 'remove_tags', tags: tagsIn(removed) })
    if (actions.length > 0) onAct(actions)
    onClose()
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('bulk.addTags')}
        description={t('bulk.tagsHint')}
        autoComplete="off"
        autoFocus
        value={added}
        onChange={setAdded}
      />
      <TextField label={t('bulk.removeTags')} autoComplete="off" value={removed} onChange={setRemoved} />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isDisabled={added.trim() === '' && removed.trim() === ''}>
          {t('bulk.apply')}
        </Button>
      </div>
    </form>
  )
}
