import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { Select } from '../../components/select.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { useSubmission } from '../../lib/submission.ts'
import { RELATIONS, relationshipFor, type Relation } from './relationships.ts'
import { TicketNumberField, useFoundTicket } from './ticket-number-field.tsx'
import { useRelate } from './use-relate.ts'

export interface RelateDialogProps {
  ticketId: string
  isOpen: boolean
  onClose: () => void
  onRelated: () => void
}

/** Says how another ticket stands to this one. */
export function RelateDialog({ isOpen, onClose, ...props }: RelateDialogProps) {
  const { t } = useTranslation('ticket-work')
  return (
    <Dialog title={t('relationships.add')} isOpen={isOpen} onClose={onClose}>
      <RelateForm {...props} onClose={onClose} />
    </Dialog>
  )
}

function RelateForm({ ticketId, onClose, onRelated }: Omit<RelateDialogProps, 'isOpen'>) {
  const { t } = useTranslation(['ticket-work', 'components', 'errors'])
  const [relation, setRelation] = useState<Relation>('related')
  const [typed, setTyped] = useState('')
  const search = useFoundTicket(typed)
  const relate = useRelate()
  const { send, isSending, problem, clear } = useSubmission()
  const { ticket } = search
  const isItself = ticket?.rowId === ticketId

  function submit(event: FormEvent) {
    event.preventDefault()
    if (!ticket || isItself) return
    void send(async () => {
      dataOf(await relate(relationshipFor(relation, ticketId, ticket.rowId)))
      onRelated()
      onClose()
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TicketNumberField
        label={t('number.label')}
        typed={typed}
        onTyped={(next) => {
          setTyped(next)
          clear()
        }}
        search={search}
        refusal={isItself ? t('number.itself') : null}
      />
      <Select
        label={t('relationships.what')}
        value={relation}
        choices={RELATIONS.map((value) => ({ value, label: t(`relationships.choice.${value}`) }))}
        onChange={(next) => {
          setRelation(next)
          clear()
        }}
      />
      {problem && (
        <InlineAlert>
          {problem.code === 'CONFLICT' ? t('relationships.taken') : t(`errors:${problem.code}`)}
        </InlineAlert>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending} isDisabled={!ticket || isItself}>
          {t('relationships.save')}
        </Button>
      </div>
    </form>
  )
}
