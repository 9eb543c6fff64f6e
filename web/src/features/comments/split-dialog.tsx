import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { useMutationKey } from '../../graphql/mutation-key.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { SUBJECT_LIMIT, subjectProblem } from '../../lib/text-limits.ts'

const SplitComment = graphql(`
  mutation SplitComment($commentId: UUID!, $subject: String!, $clientMutationKey: String!) {
    splitComment(input: { commentId: $commentId, subject: $subject, clientMutationKey: $clientMutationKey }) {
      ticket {
        id
        number
        reference
      }
    }
  }
`)

export interface SplitDialogProps {
  comment: { rowId: string; body: string; authorName: string }
  isOpen: boolean
  onClose: () => void
}

/** Opens a ticket of its own with something that was said here. */
export function SplitDialog({ comment, isOpen, onClose }: SplitDialogProps) {
  const { t } = useTranslation('comments')
  const [hasDraft, setHasDraft] = useState(false)
  return (
    <DraftDialog title={t('menu.split')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <SplitForm comment={comment} onDraft={setHasDraft} onClose={onClose} />
    </DraftDialog>
  )
}

interface SplitFormProps extends Pick<SplitDialogProps, 'comment' | 'onClose'> {
  onDraft: (hasDraft: boolean) => void
}

function SplitForm({ comment, onDraft, onClose }: SplitFormProps) {
  const { t } = useTranslation(['comments', 'components'])
  const navigate = useNavigate()
  const [begun] = useState(() => firstLine(comment.body))
  const [subject, setSubject] = useState(begun)
  const [, splitComment] = useMutation(SplitComment)
  const mutationKey = useMutationKey()
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const fault = subjectProblem(subject)
  const isChanged = subject !== begun
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function submit(event: FormEvent) {
    event.preventDefault()
    if (fault) return input.current?.focus()
    const content = { commentId: comment.rowId, subject: subject.trim() }
    void send(async () => {
      const data = dataOf(await splitComment({ ...content, clientMutationKey: mutationKey.keyFor(content) }))
      mutationKey.done()
      onClose()
      const made = data.splitComment?.ticket
      if (!made) return
      notify({
        tone: 'success',
        title: t('split.done', { reference: made.reference }),
        action: { label: t('split.open'), onPress: () => void navigate(`/desk/tickets/${made.number}`) },
      })
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <p className="text-sm text-muted">{t('split.explanation')}</p>
      <blockquote
        dir="auto"
        className="written line-clamp-4 border-s-2 border-border-strong ps-3 text-sm text-muted"
      >
        {comment.body}
      </blockquote>
      <TextField
        label={t('split.subject')}
        autoComplete="off"
        autoFocus
        value={subject}
        onChange={(value) => {
          setSubject(value)
          if (problem) clear()
        }}
        limit={SUBJECT_LIMIT}
        inputRef={input}
        error={fault ? t(`split.fault.${fault}`, { limit: SUBJECT_LIMIT }) : null}
      />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {t('split.action')}
        </Button>
      </div>
    </form>
  )
}

/** What a message begins with, as a subject to start from. */
function firstLine(body: string): string {
  const line =
    body
      .split('\n')
      .find((each) => each.trim() !== '')
      ?.trim() ?? ''
  return [...line].slice(0, 100).join('')
}
