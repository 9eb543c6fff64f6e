import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { catchLostFocus } from '../../lib/lost-focus.ts'
import { useSubmission } from '../../lib/submission.ts'

const ReleaseFile = graphql(`
  mutation ReleaseFile($sha256: String!, $reason: String!) {
    releaseFile(input: { sha256: $sha256, reason: $reason }) {
      storedFile {
        id
        state
      }
    }
  }
`)

const RemoveFile = graphql(`
  mutation RemoveFile($sha256: String!, $reason: String!) {
    removeFile(input: { sha256: $sha256, reason: $reason }) {
      storedFile {
        id
        state
      }
    }
  }
`)

export type Decision = 'release' | 'remove'

const REASON_LIMIT = 1_000

export interface DecisionDialogProps {
  /** What is asked about; null while nothing is. */
  decision: Decision | null
  sha256: string
  name: string
  signature: string | null
  onClose: () => void
  onDecided: () => void
}

/** Asks why a file is released or removed, and whether its consequences are known; neither is done by a slip. */
export function DecisionDialog({ decision, onClose, ...rest }: DecisionDialogProps) {
  const { t } = useTranslation('quarantine')
  const [hasDraft, setHasDraft] = useState(false)
  const close = () => {
    setHasDraft(false)
    onClose()
  }
  return (
    <DraftDialog
      title={decision ? t(`${decision}.title`, { name: rest.name }) : ''}
      isOpen={decision !== null}
      hasDraft={hasDraft}
      onClose={close}
    >
      {decision && <DecisionForm {...rest} decision={decision} onDraft={setHasDraft} onClose={close} />}
    </DraftDialog>
  )
}

interface DecisionFormProps extends DecisionDialogProps {
  decision: Decision
  /** Tells whether something is typed that is not sent. */
  onDraft: (hasDraft: boolean) => void
}

function DecisionForm(props: DecisionFormProps) {
  const { decision, sha256, name, signature, onDraft, onClose, onDecided } = props
  const { t } = useTranslation(['quarantine', 'components'])
  const [reason, setReason] = useState('')
  const [isSure, setIsSure] = useState(false)
  const [wasTried, setWasTried] = useState(false)
  const [, release] = useMutation(ReleaseFile)
  const [, remove] = useMutation(RemoveFile)
  const { send, isSending, problem, clear } = useSubmission()
  const fault = reason.trim() === '' ? 'missing' : reason.trim().length > REASON_LIMIT ? 'tooLong' : null

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault || !isSure) return
    void send(async () => {
      const variables = { sha256, reason: reason.trim() }
      if (decision === 'release') dataOf(await release(variables))
      else dataOf(await remove(variables))
      notify({ tone: 'success', title: t(`${decision}.done`, { name }) })
      onClose()
      onDecided()
      // The line it was asked in may go.
      catchLostFocus()
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      <InlineAlert tone="danger">
        {decision === 'release' && signature
          ? t('release.explanationFound', { signature })
          : t(`${decision}.explanation`)}
      </InlineAlert>
      <TextArea
        label={t('reason')}
        description={t('reasonHint')}
        rows={3}
        autoFocus
        value={reason}
        onChange={(next) => {
          setReason(next)
          onDraft(next.trim() !== '')
          if (problem) clear()
        }}
        limit={REASON_LIMIT}
        error={wasTried && fault ? t(`fault.${fault}`) : null}
      />
      <Checkbox
        isSelected={isSure}
        onChange={setIsSure}
        isInvalid={wasTried && !isSure}
        {...(wasTried && !isSure ? { description: t('fault.notSure') } : {})}
      >
        {t(`${decision}.sure`)}
      </Checkbox>
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2 pt-1">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="danger" isPending={isSending}>
          {t(`${decision}.act`)}
        </Button>
      </div>
    </form>
  )
}
