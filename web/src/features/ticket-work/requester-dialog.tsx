import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { PersonField } from '../../components/person-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { notify } from '../../components/toast.tsx'
import type { FoundPerson } from '../../graphql/people-search.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useSubmission } from '../../lib/submission.ts'
import { useTicketChange } from './use-ticket-change.ts'

export interface RequesterDialogProps {
  ticket: { id: string; requester: FoundPerson | null }
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Gives a ticket to somebody else who needs the help, such as whoever a colleague wrote for. */
export function RequesterDialog({ ticket, isOpen, onClose, onChanged }: RequesterDialogProps) {
  const { t } = useTranslation('ticket-work')
  return (
    <Dialog title={t('requester.title')} isOpen={isOpen} onClose={onClose}>
      <RequesterForm ticket={ticket} onClose={onClose} onChanged={onChanged} />
    </Dialog>
  )
}

function RequesterForm({ ticket, onClose, onChanged }: Omit<RequesterDialogProps, 'isOpen'>) {
  const { t } = useTranslation(['ticket-work', 'components'])
  const former = ticket.requester
  const [chosen, setChosen] = useState(former)
  const changeTicket = useTicketChange()
  const { send, isSending, problem } = useSubmission()
  const isSame = chosen === null || chosen.rowId === former?.rowId

  function submit(event: FormEvent) {
    event.preventDefault()
    if (isSame) return
    void send(async () => {
      dataOf(await changeTicket({ id: ticket.id, patch: { requesterId: chosen.rowId } }))
      onChanged()
      onClose()
      notify({
        tone: 'success',
        title: t('requester.changed', { name: chosen.name }),
        ...(former ? { action: { label: t('undo'), onPress: () => void putBack(former.rowId) } } : {}),
      })
    })
  }

  async function putBack(requesterId: string) {
    await changeTicket({ id: ticket.id, patch: { requesterId } })
    onChanged()
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <PersonField
        label={t('requester.label')}
        circle="everybody"
        value={chosen}
        onChange={setChosen}
        placeholder={t('person.placeholder')}
        description={t('requester.hint')}
      />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending} isDisabled={isSame}>
          {t('requester.save')}
        </Button>
      </div>
    </form>
  )
}
