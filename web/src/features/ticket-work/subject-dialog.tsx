import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useClient } from 'urql'
import { Button } from '../../components/button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { SUBJECT_LIMIT, subjectProblem } from '../../lib/text-limits.ts'
import { useTicketChange } from './use-ticket-change.ts'

const SubjectNowQuery = graphql(`
  query SubjectNow($id: ID!) {
    ticket(id: $id) {
      id
      subject
      version
    }
  }
`)

interface Subject {
  subject: string
  version: number
}

export interface SubjectDialogProps {
  ticket: Subject & { id: string }
  isOpen: boolean
  onClose: () => void
}

/** Changes what a ticket is about. When somebody else did meanwhile, both texts are shown and one is chosen. */
export function SubjectDialog({ ticket, isOpen, onClose }: SubjectDialogProps) {
  const { t } = useTranslation('ticket-work')
  const [hasDraft, setHasDraft] = useState(false)
  return (
    <DraftDialog title={t('subject.title')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <SubjectForm ticket={ticket} onDraft={setHasDraft} onClose={onClose} />
    </DraftDialog>
  )
}

interface SubjectFormProps {
  ticket: SubjectDialogProps['ticket']
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
}

function SubjectForm({ ticket, onDraft, onClose }: SubjectFormProps) {
  const { t } = useTranslation(['ticket-work', 'components'])
  const client = useClient()
  const changeTicket = useTicketChange()
  // What stood there when the writing began: the page goes on following the ticket.
  const [begun] = useState<Subject>({ subject: ticket.subject, version: ticket.version })
  const [typed, setTyped] = useState(ticket.subject)
  const [theirs, setTheirs] = useState<Subject | null>(null)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const fault = subjectProblem(typed)
  const isChanged = typed.trim() !== begun.subject

  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  async function readAgain(): Promise<Subject> {
    const result = await client.query(SubjectNowQuery, { id: ticket.id }, { requestPolicy: 'network-only' })
    const now = dataOf(result).ticket
    if (!now) throw new Error('The ticket is gone')
    return { subject: now.subject, version: now.version }
  }

  /** Whether it was saved; not when somebody else wrote another subject since `seen`. */
  async function save(seen: Subject): Promise<boolean> {
    const subject = typed.trim()
    const result = await changeTicket({ id: ticket.id, patch: { subject, version: seen.version } })
    if (!result.error || problemOf(result.error).code !== 'VERSION_CONFLICT') {
      dataOf(result)
      return true
    }
    const now = await readAgain()
    // Something else about the ticket changed: that is no conflict of texts.
    if (now.subject === seen.subject && now.version !== seen.version) return save(now)
    if (now.subject === subject) return true
    setTheirs(now)
    return false
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (fault) return input.current?.focus()
    if (!isChanged && !theirs) return onClose()
    void send(async () => {
      if (!(await save(theirs ?? begun))) return
      notify({ tone: 'success', title: t('subject.saved') })
      onClose()
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {theirs && (
        <>
          <InlineAlert tone="info">{t('subject.conflict')}</InlineAlert>
          <div className="flex flex-col gap-1.5">
            <p className="text-sm font-medium">{t('subject.theirs')}</p>
            <p className="rounded-md border border-border bg-sunken px-3 py-2.5 [overflow-wrap:anywhere]">
              {theirs.subject}
            </p>
          </div>
        </>
      )}
      <TextField
        label={t(theirs ? 'subject.mine' : 'subject.label')}
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(value) => {
          setTyped(value)
          if (problem) clear()
        }}
        limit={SUBJECT_LIMIT}
        inputRef={input}
        error={fault ? t(`subject.fault.${fault}`, { limit: SUBJECT_LIMIT }) : null}
      />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t(theirs ? 'subject.keepTheirs' : 'components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {t(theirs ? 'subject.saveMine' : 'components:save')}
        </Button>
      </div>
    </form>
  )
}
