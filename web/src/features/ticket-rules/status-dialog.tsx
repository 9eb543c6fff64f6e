import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import type { StatusKind } from '../../graphql/ticket-states.ts'
import { useSubmission } from '../../lib/submission.ts'
import type { Status } from './statuses-page.tsx'

const CreateStatus = graphql(`
  mutation CreateStatus($kind: TicketStatus!, $name: String!) {
    createTicketState(input: { kind: $kind, name: $name }) {
      state {
        id
      }
    }
  }
`)

const RenameStatus = graphql(`
  mutation RenameStatus($id: ID!, $name: String) {
    updateTicketState(input: { id: $id, patch: { name: $name } }) {
      ticketState {
        id
        name
      }
    }
  }
`)

const NAME_LIMIT = 40

interface Edited {
  kind: StatusKind
  /** The status to rename; null adds one. */
  status: Status | null
}

export interface StatusDialogProps {
  edited: Edited | null
  onClose: () => void
  onChanged: () => void
}

/** Names a status, or adds one. */
export function StatusDialog({ edited, onClose, onChanged }: StatusDialogProps) {
  const { t } = useTranslation(['ticket-rules', 'components'])
  const kind = edited ? t(`components:status.${edited.kind}`) : ''
  return (
    <Dialog
      title={t(edited?.status ? 'statuses.rename' : 'statuses.addTo', { kind })}
      isOpen={edited !== null}
      onClose={onClose}
    >
      {edited && <StatusForm edited={edited} onClose={onClose} onChanged={onChanged} />}
    </Dialog>
  )
}

interface StatusFormProps {
  edited: Edited
  onClose: () => void
  onChanged: () => void
}

function StatusForm({ edited: { kind, status }, onClose, onChanged }: StatusFormProps) {
  const { t } = useTranslation(['ticket-rules', 'components'])
  const [typed, setTyped] = useState(status?.name ?? '')
  const [wasTried, setWasTried] = useState(false)
  const [, createStatus] = useMutation(CreateStatus)
  const [, renameStatus] = useMutation(RenameStatus)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const name = typed.trim()
  // Only the default may be called as its kind is, in every reader's language.
  const mayBeNameless = status?.isDefault ?? false
  const fault = name === '' && !mayBeNameless ? 'missing' : [...name].length > NAME_LIMIT ? 'long' : null
  const isTaken = problem?.code === 'CONFLICT'

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return input.current?.focus()
    void send(async () => {
      if (status) dataOf(await renameStatus({ id: status.id, name: name || null }))
      else dataOf(await createStatus({ kind, name }))
      onClose()
      onChanged()
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('statuses.name')}
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(value) => {
          setTyped(value)
          if (problem) clear()
        }}
        limit={NAME_LIMIT}
        inputRef={input}
        {...(mayBeNameless
          ? { description: t('statuses.nameless', { kind: t(`components:status.${kind}`) }) }
          : {})}
        error={isTaken ? t('statuses.taken') : wasTried && fault ? t(`statuses.fault.${fault}`) : null}
      />
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {t(status ? 'components:save' : 'statuses.add')}
        </Button>
      </div>
    </form>
  )
}
