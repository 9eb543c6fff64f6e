import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { catchLostFocus } from '../../lib/lost-focus.ts'
import { useSubmission } from '../../lib/submission.ts'

const DecideApproval = graphql(`
  mutation DecideApproval($approvalId: UUID!, $decision: ApprovalDecision!, $note: String) {
    decideApproval(input: { approvalId: $approvalId, decision: $decision, note: $note }) {
      approval {
        id
        state
      }
    }
  }
`)

type Decision = 'approved' | 'declined'

const NOTE_LIMIT = 2000

/** Asks for a yes or a no: first which, then with what words, because an answer is not taken back. */
export function Answer({ approvalId, onAnswered }: { approvalId: string; onAnswered: () => void }) {
  const { t } = useTranslation('approvals')
  const [decision, setDecision] = useState<Decision | null>(null)
  const [note, setNote] = useState('')
  const [, decide] = useMutation(DecideApproval)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)

  if (decision === null) {
    return (
      <div className="flex flex-wrap gap-2">
        <Button size="small" variant="primary" onPress={() => setDecision('approved')}>
          {t('approve')}
        </Button>
        <Button size="small" onPress={() => setDecision('declined')}>
          {t('decline')}
        </Button>
      </div>
    )
  }

  return (
    <form
      noValidate
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault()
        if (note.length > NOTE_LIMIT) return input.current?.focus()
        void send(async () => {
          dataOf(await decide({ approvalId, decision, note: note.trim() || null }))
          notify({ tone: 'success', title: t(`answered.${decision}`) })
          catchLostFocus()
          onAnswered()
        })
      }}
    >
      <TextField
        label={t(`note.${decision}`)}
        value={note}
        onChange={setNote}
        limit={NOTE_LIMIT}
        inputRef={input}
        autoComplete="off"
        autoFocus
        error={note.length > NOTE_LIMIT ? t('noteLong', { limit: NOTE_LIMIT }) : null}
      />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          size="small"
          variant={decision === 'approved' ? 'primary' : 'danger'}
          isPending={isSending}
        >
          {t(decision === 'approved' ? 'approve' : 'decline')}
        </Button>
        <Button
          size="small"
          variant="quiet"
          onPress={() => {
            clear()
            setDecision(null)
          }}
        >
          {t('back')}
        </Button>
      </div>
    </form>
  )
}
