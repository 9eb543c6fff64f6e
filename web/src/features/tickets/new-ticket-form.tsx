import { Users } from 'lucide-react'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { Button } from '../../components/button.tsx'
import { FieldInputs, focusField } from '../../components/field-inputs.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PriorityGlyph, type Priority } from '../../components/priority-mark.tsx'
import { Select } from '../../components/select.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { useCustomFields } from '../../graphql/custom-fields.ts'
import { problemOf, type Problem } from '../../graphql/errors.ts'
import { useMutationKey } from '../../graphql/mutation-key.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import {
  askedFields,
  fieldFault,
  isFilled,
  sentValue,
  type FieldDefinition,
  type FieldValues,
} from '../../lib/custom-fields.ts'
import { useDraft } from '../../lib/draft.ts'
import { isStaff, useSessionUser } from '../../lib/session.ts'
import { BODY_LIMIT, bodyProblem, SUBJECT_LIMIT, subjectProblem } from '../../lib/text-limits.ts'
import { useSharingCompany } from './own-company.ts'
import { PRIORITIES } from './ticket-states.ts'

const ServiceChoices = graphql(`
  query ServiceChoices {
    services(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        description
      }
    }
  }
`)

const CreateTicket = graphql(`
  mutation CreateTicket(
    $subject: String!
    $body: String!
    $priority: TicketPriority
    $serviceId: UUID
    $customFields: JSON
    $clientMutationKey: String
  ) {
    createTicket(
      input: {
        subject: $subject
        body: $body
        priority: $priority
        serviceId: $serviceId
        customFields: $customFields
        clientMutationKey: $clientMutationKey
      }
    ) {
      ticket {
        id
        number
        reference
      }
    }
  }
`)

export type CreatedTicket = NonNullable<NonNullable<ResultOf<typeof CreateTicket>['createTicket']>['ticket']>

interface Draft {
  subject: string
  body: string
  priority: Priority
  serviceId: string | null
  fields: FieldValues
}

const BLANK: Draft = { subject: '', body: '', priority: 'normal', serviceId: null, fields: {} }

/** The value of "I am not sure"; row ids are UUIDs, so it cannot be one. */
const NO_SERVICE = 'none'

export interface NewTicketFormProps {
  onCreated: (ticket: CreatedTicket) => void
  /** What was written somewhere else and goes on here; a draft that is there stays. */
  start?: { subject: string; body: string } | null
}

/** Asks for what the team needs to know. The draft survives a reload and a failed send. */
export function NewTicketForm({ onCreated, start }: NewTicketFormProps) {
  const { t, i18n } = useTranslation(['tickets', 'components', 'errors'])
  const { draft, change, clear } = useDraft('new-ticket', BLANK)
  const begin = useRef(() => {
    if (!start || draft.body.includes(start.body)) return
    const body = draft.body.trim() === '' ? start.body : `${draft.body}\n\n${start.body}`
    change({ ...draft, subject: draft.subject || start.subject, body })
  })
  useEffect(() => begin.current(), [])
  const [wasTried, setWasTried] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [{ data }] = useQuery({ query: ServiceChoices })
  const [{ fetching }, createTicket] = useMutation(CreateTicket)
  const mutationKey = useMutationKey()
  const company = useSharingCompany()
  const user = useSessionUser()
  const { fields: definitions, reread: rereadFields } = useCustomFields()
  const form = useRef<HTMLFormElement>(null)
  const subjectInput = useRef<HTMLInputElement>(null)
  const bodyInput = useRef<HTMLTextAreaElement>(null)

  const services = (data?.services?.nodes ?? []).filter((node) => node !== null)
  const number = (value: number) => new Intl.NumberFormat(i18n.language).format(value)
  const subjectFault = subjectProblem(draft.subject)
  const bodyFault = bodyProblem(draft.body)

  const fields = askedFields(definitions, draft.serviceId, draft.fields).filter(
    (field) => field.setByCustomers || isStaff(user.role),
  )
  const isRequired = (field: FieldDefinition) => field.requiredWhen === 'creating'

  function edit(part: Partial<Draft>) {
    change({ ...draft, ...part })
    setProblem(null)
  }

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (fetching) return
    setWasTried(true)
    if (subjectFault) return subjectInput.current?.focus()
    if (bodyFault) return bodyInput.current?.focus()
    const faulty = fields.find((field) => fieldFault(field, draft.fields[field.key], isRequired(field)))
    if (faulty) return focusField(form.current, faulty.key)
    const { fields: typed, ...said } = draft
    const content = {
      ...said,
      subject: draft.subject.trim(),
      body: draft.body.trim(),
      customFields: Object.fromEntries(
        fields
          .filter(({ key }) => isFilled(typed[key]))
          .map((field) => [field.key, sentValue(field, typed[field.key])]),
      ),
    }
    const result = await createTicket({ ...content, clientMutationKey: mutationKey.keyFor(content) })
    const ticket = result.data?.createTicket?.ticket
    if (!ticket) {
      const refusal: Problem = result.error ? problemOf(result.error) : { code: 'UNKNOWN' }
      setProblem(refusal)
      // What is asked for may have changed since the form was opened.
      if (refusal.code.startsWith('FIELD_')) rereadFields()
      if (refusal.field) focusField(form.current, refusal.field)
      return
    }
    mutationKey.done()
    clear()
    onCreated(ticket)
  }

  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate className="flex flex-col gap-6">
      <TextField
        label={t('form.subject')}
        description={t('form.subjectHint')}
        name="subject"
        autoComplete="off"
        value={draft.subject}
        onChange={(subject) => edit({ subject })}
        limit={SUBJECT_LIMIT}
        inputRef={subjectInput}
        error={
          (wasTried && subjectFault === 'empty' && t('form.subjectMissing')) ||
          (subjectFault === 'long' && t('form.subjectLong', { limit: number(SUBJECT_LIMIT) })) ||
          null
        }
      />
      <div className="grid gap-6 sm:grid-cols-2">
        <Select
          label={t('form.service')}
          placeholder={t('form.servicePlaceholder')}
          value={draft.serviceId ?? NO_SERVICE}
          choices={[
            { value: NO_SERVICE, label: t('form.serviceNone') },
            ...services.map((service) => ({
              value: service.rowId,
              label: service.name,
              description: service.description,
            })),
          ]}
          onChange={(value) => edit({ serviceId: value === NO_SERVICE ? null : value })}
        />
        <Select
          label={t('form.priority')}
          value={draft.priority}
          choices={PRIORITIES.map((value) => ({
            value,
            label: t(`components:priority.${value}`),
            description: t(`form.priorityHint.${value}`),
            mark: <PriorityGlyph priority={value} />,
          }))}
          onChange={(priority) => edit({ priority })}
        />
      </div>
      <TextArea
        label={t('form.description')}
        description={t('form.descriptionHint')}
        name="body"
        rows={8}
        value={draft.body}
        onChange={(body) => edit({ body })}
        limit={BODY_LIMIT}
        textAreaRef={bodyInput}
        error={
          (wasTried && bodyFault === 'empty' && t('form.descriptionMissing')) ||
          (bodyFault === 'long' && t('form.descriptionLong', { limit: number(BODY_LIMIT) })) ||
          null
        }
      />
      <FieldInputs
        fields={fields}
        values={draft.fields}
        onChange={(key, value) => edit({ fields: { ...draft.fields, [key]: value } })}
        isRequired={isRequired}
        wasTried={wasTried}
        refused={problem?.code === 'FIELD_INVALID' ? problem.field : undefined}
      />
      {company !== null && (
        <p className="flex items-start gap-2 text-sm text-muted">
          <Users className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          <span className="min-w-0 [overflow-wrap:anywhere]">{t('form.shared', { company })}</span>
        </p>
      )}
      {problem && <InlineAlert>{t(`errors:${problem.code}`)}</InlineAlert>}
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" variant="primary" size="large" isPending={fetching}>
          {t('form.send')}
        </Button>
        <ButtonLink to="/portal" variant="quiet" size="large">
          {t('form.cancel')}
        </ButtonLink>
        {(draft.subject || draft.body) && (
          <span className="text-sm text-muted sm:ms-auto">{t('form.kept')}</span>
        )}
      </div>
    </form>
  )
}
