import { useEffect, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { PriorityGlyph } from '../../components/priority-mark.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { BODY_LIMIT, SUBJECT_LIMIT } from '../../lib/text-limits.ts'
import {
  BLANK_TEMPLATE,
  NAME_LIMIT,
  templateFault,
  templateOf,
  type TemplateDraft,
} from './template-draft.ts'

export const TemplateDialogFragment = graphql(`
  fragment TemplateDialog on TicketTemplate {
    id
    name
    subject
    body
    priority
    serviceId
    tags
    checklist
    seenByCustomers
  }
`)

const TemplateServicesQuery = graphql(`
  query TemplateServices {
    services(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        archivedAt
      }
    }
  }
`)

const CreateTemplate = graphql(`
  mutation CreateTemplate(
    $name: String!
    $subject: String
    $body: String
    $priority: TicketPriority
    $serviceId: UUID
    $tags: [String]
    $checklist: [String]
    $seenByCustomers: Boolean
  ) {
    createTicketTemplate(
      input: {
        name: $name
        subject: $subject
        body: $body
        priority: $priority
        serviceId: $serviceId
        tags: $tags
        checklist: $checklist
        seenByCustomers: $seenByCustomers
      }
    ) {
      ticketTemplate {
        id
      }
    }
  }
`)

const UpdateTemplate = graphql(
  `
    mutation UpdateTemplate($id: ID!, $patch: TicketTemplatePatch!) {
      updateTicketTemplate(input: { id: $id, patch: $patch }) {
        ticketTemplate {
          id
          updatedAt
          ...TemplateDialog
        }
      }
    }
  `,
  [TemplateDialogFragment],
)

const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const

/** The value of "no service"; row ids are UUIDs, so it cannot be one. */
const NO_SERVICE = 'none'

export interface TemplateDialogProps {
  /** The template to change; null makes one. */
  template: FragmentOf<typeof TemplateDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes or changes a template. */
export function TemplateDialog({ template, isOpen, onClose, onChanged }: TemplateDialogProps) {
  const { t } = useTranslation('ticket-templates')
  const saved = readFragment(TemplateDialogFragment, template)
  const [hasDraft, setHasDraft] = useState(false)
  return (
    <DraftDialog title={saved ? saved.name : t('make')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <TemplateForm
        template={saved}
        onDraft={setHasDraft}
        onClose={onClose}
        onSaved={(name) => {
          notify({ tone: 'success', title: t(saved ? 'saved' : 'made', { name }) })
          onClose()
          onChanged()
        }}
      />
    </DraftDialog>
  )
}

const draftOf = (template: ResultOf<typeof TemplateDialogFragment>): TemplateDraft => ({
  name: template.name,
  subject: template.subject ?? '',
  body: template.body ?? '',
  priority: template.priority,
  serviceId: template.serviceId,
  tags: template.tags.join(', '),
  checklist: template.checklist.join('\n'),
  seenByCustomers: template.seenByCustomers,
})

interface TemplateFormProps {
  template: ResultOf<typeof TemplateDialogFragment> | null
  /** Tells whether something is typed that is not saved. */
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onSaved: (name: string) => void
}

function TemplateForm({ template, onDraft, onClose, onSaved }: TemplateFormProps) {
  const { t } = useTranslation(['ticket-templates', 'components'])
  const [draft, setDraft] = useState(template ? draftOf(template) : BLANK_TEMPLATE)
  const [wasTried, setWasTried] = useState(false)
  const [{ data }] = useQuery({ query: TemplateServicesQuery })
  const [, createTemplate] = useMutation(CreateTemplate)
  const [, updateTemplate] = useMutation(UpdateTemplate)
  const { send, isSending, problem, clear } = useSubmission()
  const services = (data?.services?.nodes ?? [])
    .filter((node) => node !== null)
    .filter(({ rowId, archivedAt }) => archivedAt === null || rowId === draft.serviceId)
  const fault = templateFault(draft)
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged = JSON.stringify(draft) !== JSON.stringify(template ? draftOf(template) : BLANK_TEMPLATE)
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function edit(part: Partial<TemplateDraft>) {
    setDraft({ ...draft, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return
    void send(async () => {
      const values = templateOf(draft)
      if (template) dataOf(await updateTemplate({ id: template.id, patch: values }))
      else dataOf(await createTemplate(values))
      onSaved(values.name)
    })
  }

  const faultOf = (...about: (typeof fault)[]) =>
    wasTried && fault && about.includes(fault) ? t(`fault.${fault}`) : null

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('name')}
        autoComplete="off"
        autoFocus
        value={draft.name}
        onChange={(name) => edit({ name })}
        limit={NAME_LIMIT}
        error={isTaken ? t('fault.nameTaken') : faultOf('nameMissing', 'nameLong')}
      />
      <TextField
        label={t('subject')}
        autoComplete="off"
        value={draft.subject}
        onChange={(subject) => edit({ subject })}
        limit={SUBJECT_LIMIT}
        error={faultOf('subjectLong')}
      />
      <TextArea
        label={t('body')}
        rows={4}
        value={draft.body}
        onChange={(body) => edit({ body })}
        limit={BODY_LIMIT}
        error={faultOf('bodyLong')}
      />
      <div className="grid gap-5 sm:grid-cols-2">
        <Select
          label={t('service')}
          value={draft.serviceId ?? NO_SERVICE}
          choices={[
            { value: NO_SERVICE, label: t('noService') },
            ...services.map((service) => ({ value: service.rowId, label: service.name })),
          ]}
          onChange={(value) => edit({ serviceId: value === NO_SERVICE ? null : value })}
        />
        <Select
          label={t('priority')}
          value={draft.priority}
          choices={PRIORITIES.map((value) => ({
            value,
            label: t(`components:priority.${value}`),
            mark: <PriorityGlyph priority={value} />,
          }))}
          onChange={(priority) => edit({ priority })}
        />
      </div>
      <TextField
        label={t('tags')}
        description={t('tagsHint')}
        autoComplete="off"
        value={draft.tags}
        onChange={(tags) => edit({ tags })}
        error={faultOf('tags')}
      />
      <TextArea
        label={t('checklist')}
        description={t('checklistHint')}
        rows={3}
        value={draft.checklist}
        onChange={(checklist) => edit({ checklist })}
        error={faultOf('checklist')}
      />
      <Switch
        isSelected={draft.seenByCustomers}
        onChange={(seenByCustomers) => edit({ seenByCustomers })}
        description={t('seenByCustomersHint')}
      >
        {t('seenByCustomers')}
      </Switch>
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {template ? t('components:save') : t('make')}
        </Button>
      </div>
    </form>
  )
}
