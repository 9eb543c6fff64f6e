import { useEffect, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { BODY_LIMIT } from '../../lib/text-limits.ts'
import { AudienceField, type Audience } from './audience-field.tsx'
import { tidyFolder } from './folders.ts'
import { VariablesHint } from './variables-hint.tsx'

export const CannedResponseDialogFragment = graphql(`
  fragment CannedResponseDialog on CannedResponse {
    id
    title
    folder
    body
    visibility
    teamId
    archivedAt
  }
`)

const CreateCannedResponse = graphql(`
  mutation CreateCannedResponse(
    $title: String!
    $body: String!
    $folder: String
    $visibility: CannedVisibility
    $teamId: UUID
  ) {
    createCannedResponse(
      input: { title: $title, body: $body, folder: $folder, visibility: $visibility, teamId: $teamId }
    ) {
      cannedResponse {
        id
      }
    }
  }
`)

const UpdateCannedResponse = graphql(
  `
    mutation UpdateCannedResponse($id: ID!, $patch: CannedResponsePatch!) {
      updateCannedResponse(input: { id: $id, patch: $patch }) {
        cannedResponse {
          id
          updatedAt
          ...CannedResponseDialog
        }
      }
    }
  `,
  [CannedResponseDialogFragment],
)

export interface CannedResponseDialogProps {
  /** The response to change; null makes one. */
  response: FragmentOf<typeof CannedResponseDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes, changes, puts away or brings back a prepared text. */
export function CannedResponseDialog({ response, isOpen, onClose, onChanged }: CannedResponseDialogProps) {
  const { t } = useTranslation('canned-responses')
  const saved = readFragment(CannedResponseDialogFragment, response)
  const [hasDraft, setHasDraft] = useState(false)
  const done = (message: string) => {
    notify({ tone: 'success', title: message })
    onClose()
    onChanged()
  }
  return (
    <DraftDialog
      title={saved ? saved.title : t('response.make')}
      isOpen={isOpen}
      hasDraft={hasDraft}
      onClose={onClose}
    >
      <ResponseForm response={saved} onDraft={setHasDraft} onClose={onClose} onDone={done} />
    </DraftDialog>
  )
}

interface Response extends Audience {
  id: string
  title: string
  folder: string
  body: string
  archivedAt: string | null
}

interface ResponseFormProps {
  response: Response | null
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onDone: (message: string) => void
}

function ResponseForm({ response, onDraft, onClose, onDone }: ResponseFormProps) {
  const { t } = useTranslation(['canned-responses', 'components'])
  const [title, setTitle] = useState(response?.title ?? '')
  const [folder, setFolder] = useState(response?.folder ?? '')
  const [body, setBody] = useState(response?.body ?? '')
  const [audience, setAudience] = useState<Audience>({
    visibility: response?.visibility ?? 'personal',
    teamId: response?.teamId ?? null,
  })
  const [wasTried, setWasTried] = useState(false)
  const [, create] = useMutation(CreateCannedResponse)
  const [, update] = useMutation(UpdateCannedResponse)
  const { send, isSending, problem } = useSubmission()
  const values = { title: title.trim(), folder: tidyFolder(folder), body: body.trim(), ...audience }
  const isChanged =
    values.title !== (response?.title ?? '') ||
    values.folder !== (response?.folder ?? '') ||
    values.body !== (response?.body.trim() ?? '') ||
    values.visibility !== (response?.visibility ?? 'personal') ||
    values.teamId !== (response?.teamId ?? null)
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (values.title === '' || values.title.length > 120 || values.body === '') return
    void send(async () => {
      if (response) dataOf(await update({ id: response.id, patch: values }))
      else dataOf(await create(values))
      onDone(t(response ? 'saved' : 'made', { name: values.title }))
    })
  }

  const archive = (isArchived: boolean) =>
    void send(async () => {
      const archivedAt = isArchived ? new Date().toISOString() : null
      dataOf(await update({ id: response!.id, patch: { archivedAt } }))
      onDone(t(isArchived ? 'archived' : 'restored', { name: response!.title }))
    })

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('response.title')}
        autoFocus
        autoComplete="off"
        value={title}
        onChange={setTitle}
        limit={120}
        error={wasTried && values.title === '' ? t('response.titleMissing') : null}
      />
      <TextField
        label={t('response.folder')}
        autoComplete="off"
        description={t('response.folderHint')}
        value={folder}
        onChange={setFolder}
      />
      <TextArea
        label={t('response.body')}
        rows={6}
        value={body}
        onChange={setBody}
        limit={BODY_LIMIT}
        error={wasTried && values.body === '' ? t('response.bodyMissing') : null}
      />
      <VariablesHint />
      <AudienceField value={audience} onChange={setAudience} />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        {response && (
          <Button variant="quiet" className="me-auto" onPress={() => archive(!response.archivedAt)}>
            {t(response.archivedAt ? 'restore' : 'archive')}
          </Button>
        )}
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {response ? t('components:save') : t('response.make')}
        </Button>
      </div>
    </form>
  )
}
