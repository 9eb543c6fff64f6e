import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { LockoutDialog } from './lockout-dialog.tsx'
import { readNetwork } from './network.ts'
import { AUDIENCES, type Audience } from './rule-groups.ts'

const AddIpRule = graphql(`
  mutation AddIpRule($network: CidrAddress!, $role: UserRole, $note: String, $acceptLockout: Boolean) {
    addIpRule(input: { network: $network, role: $role, note: $note, acceptLockout: $acceptLockout }) {
      ipRule {
        id
        network
      }
    }
  }
`)

const NOTE_LIMIT = 200

interface Draft {
  network: string
  audience: Audience
  note: string
}

const BLANK: Draft = { network: '', audience: 'everybody', note: '' }

export interface AddRuleDialogProps {
  isOpen: boolean
  ownAddress: string | null
  onClose: () => void
  onAdded: () => void
}

/** Allows a network. */
export function AddRuleDialog({ isOpen, ownAddress, onClose, onAdded }: AddRuleDialogProps) {
  const { t } = useTranslation('ip-rules')
  const [draft, setDraft] = useState(BLANK)
  const [locksOut, setLocksOut] = useState(false)
  const [, addIpRule] = useMutation(AddIpRule)

  function close() {
    setDraft(BLANK)
    onClose()
  }

  async function add(acceptLockout: boolean) {
    const reading = readNetwork(draft.network)
    if ('fault' in reading) return
    const { network } = reading
    dataOf(
      await addIpRule({
        network,
        role: draft.audience === 'everybody' ? null : draft.audience,
        note: draft.note.trim() || null,
        acceptLockout,
      }),
    )
    notify({ tone: 'success', title: t('add.done', { network }) })
    close()
    onAdded()
  }

  return (
    <>
      <DraftDialog
        title={t('add.open')}
        isOpen={isOpen}
        hasDraft={draft.network.trim() !== '' || draft.note.trim() !== ''}
        onClose={close}
      >
        <AddRuleForm
          draft={draft}
          ownAddress={ownAddress}
          onChange={setDraft}
          add={() => add(false)}
          onLockout={() => setLocksOut(true)}
          onCancel={close}
        />
      </DraftDialog>
      <LockoutDialog
        isOpen={locksOut}
        action={t('lockout.add')}
        run={() => add(true)}
        onClose={() => setLocksOut(false)}
      />
    </>
  )
}

interface AddRuleFormProps {
  draft: Draft
  ownAddress: string | null
  onChange: (draft: Draft) => void
  add: () => Promise<void>
  onLockout: () => void
  onCancel: () => void
}

function AddRuleForm({ draft, ownAddress, onChange, add, onLockout, onCancel }: AddRuleFormProps) {
  const { t } = useTranslation(['ip-rules', 'app', 'components'])
  const [wasTried, setWasTried] = useState(false)
  const { send, isSending, problem, clear } = useSubmission()
  const networkInput = useRef<HTMLInputElement>(null)
  const noteInput = useRef<HTMLInputElement>(null)
  const reading = readNetwork(draft.network)
  const isNoteLong = [...draft.note.trim()].length > NOTE_LIMIT
  const isThere = problem?.code === 'CONFLICT'
  // It has a dialog of its own.
  const isToldElsewhere = isThere || problem?.code === 'WOULD_LOCK_YOU_OUT'

  function edit(part: Partial<Draft>) {
    onChange({ ...draft, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if ('fault' in reading) return networkInput.current?.focus()
    if (isNoteLong) return noteInput.current?.focus()
    void send(add, ({ code }) => {
      if (code === 'WOULD_LOCK_YOU_OUT') onLockout()
      if (code === 'CONFLICT') networkInput.current?.focus()
    })
  }

  const networkError = isThere
    ? t('networkFault.there')
    : wasTried && 'fault' in reading
      ? reading.fault === 'inside'
        ? t('networkFault.inside', { network: reading.network })
        : t(`networkFault.${reading.fault}`)
      : null

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <div className="flex flex-col items-start gap-2">
        <div className="w-full">
          <TextField
            label={t('network')}
            description={t('networkHint')}
            placeholder="192.0.2.0/24"
            autoComplete="off"
            spellCheck="false"
            autoFocus
            value={draft.network}
            onChange={(network) => edit({ network })}
            inputRef={networkInput}
            error={networkError}
          />
        </div>
        {ownAddress && draft.network.trim() === '' && (
          <Button
            variant="quiet"
            size="small"
            className="-ms-2.5"
            onPress={() => edit({ network: ownAddress })}
          >
            {t('takeOwn', { address: ownAddress })}
          </Button>
        )}
      </div>
      <Select
        label={t('audience')}
        value={draft.audience}
        choices={AUDIENCES.map((audience) => ({
          value: audience,
          label: audience === 'everybody' ? t('everybody') : t(`app:account.roles.${audience}`),
        }))}
        onChange={(audience) => edit({ audience })}
        description={t(draft.audience === 'everybody' ? 'everybodyHint' : 'roleHint')}
      />
      <TextField
        label={t('note')}
        placeholder={t('notePlaceholder')}
        autoComplete="off"
        value={draft.note}
        onChange={(note) => edit({ note })}
        limit={NOTE_LIMIT}
        inputRef={noteInput}
        error={isNoteLong ? t('noteLong', { limit: NOTE_LIMIT }) : null}
      />
      {problem && !isToldElsewhere && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onCancel}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {t('add.send')}
        </Button>
      </div>
    </form>
  )
}
