import { useEffect, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { AudienceField, type Audience } from './audience-field.tsx'
import { actionFault, readActions, type MacroAction } from './macro-actions.ts'
import { MacroActionsEditor } from './macro-actions-editor.tsx'
import { VariablesHint } from './variables-hint.tsx'

export const MacroDialogFragment = graphql(`
  fragment MacroDialog on Macro {
    id
    name
    description
    actions
    visibility
    teamId
    archivedAt
  }
`)

const CreateMacro = graphql(`
  mutation CreateMacro(
    $name: String!
    $actions: JSON!
    $description: String
    $visibility: CannedVisibility
    $teamId: UUID
  ) {
    createMacro(
      input: {
        name: $name
        actions: $actions
        description: $description
        visibility: $visibility
        teamId: $teamId
      }
    ) {
      macro {
        id
      }
    }
  }
`)

const UpdateMacro = graphql(
  `
    mutation UpdateMacro($id: ID!, $patch: MacroPatch!) {
      updateMacro(input: { id: $id, patch: $patch }) {
        macro {
          id
          updatedAt
          ...MacroDialog
        }
      }
    }
  `,
  [MacroDialogFragment],
)

export interface MacroDialogProps {
  /** The macro to change; null makes one. */
  macro: FragmentOf<typeof MacroDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes, changes, puts away or brings back a macro. */
export function MacroDialog({ macro, isOpen, onClose, onChanged }: MacroDialogProps) {
  const { t } = useTranslation('canned-responses')
  const saved = readFragment(MacroDialogFragment, macro)
  const [hasDraft, setHasDraft] = useState(false)
  const done = (message: string) => {
    notify({ tone: 'success', title: message })
    onClose()
    onChanged()
  }
  return (
    <DraftDialog
      title={saved ? saved.name : t('macro.make')}
      isOpen={isOpen}
      hasDraft={hasDraft}
      onClose={onClose}
    >
      <MacroForm macro={saved} onDraft={setHasDraft} onClose={onClose} onDone={done} />
    </DraftDialog>
  )
}

interface Macro extends Audience {
  id: string
  name: string
  description: string | null
  actions: unknown
  archivedAt: string | null
}

interface MacroFormProps {
  macro: Macro | null
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onDone: (message: string) => void
}

function MacroForm({ macro, onDraft, onClose, onDone }: MacroFormProps) {
  const { t } = useTranslation(['canned-responses', 'components'])
  const [before] = useState<MacroAction[]>(() => readActions(macro?.actions))
  const [name, setName] = useState(macro?.name ?? '')
  const [description, setDescription] = useState(macro?.description ?? '')
  const [actions, setActions] = useState(before)
  const [audience, setAudience] = useState<Audience>({
    visibility: macro?.visibility ?? 'personal',
    teamId: macro?.teamId ?? null,
  })
  const [wasTried, setWasTried] = useState(false)
  const [, create] = useMutation(CreateMacro)
  const [, update] = useMutation(UpdateMacro)
  const { send, isSending, problem } = useSubmission()
  const values = { name: name.trim(), description: description.trim() || null, actions, ...audience }
  const isChanged =
    values.name !== (macro?.name ?? '') ||
    values.description !== (macro?.description ?? null) ||
    JSON.stringify(actions) !== JSON.stringify(before) ||
    values.visibility !== (macro?.visibility ?? 'personal') ||
    values.teamId !== (macro?.teamId ?? null)
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (values.name === '' || actions.length === 0 || actions.some((action) => actionFault(action))) return
    void send(async () => {
      if (macro) dataOf(await update({ id: macro.id, patch: values }))
      else dataOf(await create(values))
      onDone(t(macro ? 'saved' : 'made', { name: values.name }))
    })
  }

  const archive = (isArchived: boolean) =>
    void send(async () => {
      const archivedAt = isArchived ? new Date().toISOString() : null
      dataOf(await update({ id: macro!.id, patch: { archivedAt } }))
      onDone(t(isArchived ? 'archived' : 'restored', { name: macro!.name }))
    })

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('macro.name')}
        autoFocus
        autoComplete="off"
        value={name}
        onChange={setName}
        limit={120}
        error={wasTried && values.name === '' ? t('macro.nameMissing') : null}
      />
      <TextField
        label={t('macro.description')}
        autoComplete="off"
        value={description}
        onChange={setDescription}
        limit={500}
      />
      <MacroActionsEditor actions={actions} onChange={setActions} showsFaults={wasTried} />
      {wasTried && actions.length === 0 && <InlineAlert>{t('macro.actionsMissing')}</InlineAlert>}
      {actions.some(({ type }) => type === 'comment') && <VariablesHint />}
      <AudienceField value={audience} onChange={setAudience} />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        {macro && (
          <Button variant="quiet" className="me-auto" onPress={() => archive(!macro.archivedAt)}>
            {t(macro.archivedAt ? 'restore' : 'archive')}
          </Button>
        )}
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {macro ? t('components:save') : t('macro.make')}
        </Button>
      </div>
    </form>
  )
}
