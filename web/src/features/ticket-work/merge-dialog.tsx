import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { useSubmission } from '../../lib/submission.ts'
import { TicketNumberField, useFoundTicket } from './ticket-number-field.tsx'
import { useMerge } from './use-merge.ts'

export interface MergeDialogProps {
  ticket: {
    rowId: string
    reference: string
    requester: { rowId: string; name: string } | null
  }
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Merges this ticket into another one, after saying what happens then. */
export function MergeDialog({ ticket, isOpen, onClose, onChanged }: MergeDialogProps) {
  const { t } = useTranslation('ticket-work')
  return (
    <Dialog title={t('merge.title', { reference: ticket.reference })} isOpen={isOpen} onClose={onClose}>
      <MergeForm ticket={ticket} onClose={onClose} onChanged={onChanged} />
    </Dialog>
  )
}

function MergeForm({ ticket, onClose, onChanged }: Omit<MergeDialogProps, 'isOpen'>) {
  const { t } = useTranslation(['ticket-work', 'components'])
  const [typed, setTyped] = useState('')
  const search = useFoundTicket(typed)
  const { merge } = useMerge(onChanged)
  const { send, isSending, problem, clear } = useSubmission()
  const target = search.ticket
  const refusal =
    target?.rowId === ticket.rowId
      ? t('number.itself')
      : target?.mergedIntoId
        ? t('merge.targetMerged')
        : target?.status === 'closed'
          ? t('merge.targetClosed')
          : null
  const names = { source: ticket.reference, target: target?.reference }
  const otherRequester = target?.requester?.rowId === ticket.requester?.rowId ? null : target?.requester

  function submit(event: FormEvent) {
    event.preventDefault()
    if (!target || refusal) return
    void send(async () => {
      await merge(ticket.rowId, target)
      onClose()
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TicketNumberField
        label={t('merge.target')}
        typed={typed}
        onTyped={(next) => {
          setTyped(next)
          clear()
        }}
        search={search}
        refusal={refusal}
      />
      {target && !refusal && (
        <>
          <ul className="flex list-disc flex-col gap-1 ps-5 text-sm text-muted">
            <li>{t('merge.conversation', names)}</li>
            <li>{t('merge.watchers', names)}</li>
            <li>{t('merge.source', names)}</li>
            <li>{t('merge.undoable')}</li>
          </ul>
          {otherRequester && ticket.requester && (
            <InlineAlert tone="info">
              {t('merge.otherRequester', { reader: otherRequester.name, writer: ticket.requester.name })}
            </InlineAlert>
          )}
        </>
      )}
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button
          type="submit"
          variant="primary"
          isPending={isSending}
          isDisabled={!target || refusal !== null}
        >
          {target && !refusal ? t('merge.actionInto', names) : t('merge.action')}
        </Button>
      </div>
    </form>
  )
}
