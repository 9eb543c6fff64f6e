import { Users } from 'lucide-react'
import { useEffect, useEffectEvent, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { AttachField } from '../../components/attach-field.tsx'
import { ButtonLink } from '../../components/button-link.tsx'
import { Button } from '../../components/button.tsx'
import { FieldInputs, focusField } from '../../components/field-inputs.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PersonField } from '../../components/person-field.tsx'
import { PriorityGlyph, type Priority } from '../../components/priority-mark.tsx'
import { Select } from '../../components/select.tsx'
import { SendWords, StopWaiting } from '../../components/send-waits.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { useAttaching } from '../../components/use-attaching.ts'
import type { HeldFile } from '../../graphql/attachments.ts'
import { useCustomFields } from '../../graphql/custom-fields.ts'
import { problemOf, type Problem } from '../../graphql/errors.ts'
import { useMutationKey } from '../../graphql/mutation-key.ts'
import type { FoundPerson } from '../../graphql/people-search.ts'
import { graphql } from '../../graphql/tada.ts'
import { useTicketTemplates } from '../../graphql/ticket-templates.ts'
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
import { readTags, tagsFault } from '../../lib/ticket-tags.ts'
import { BODY_LIMIT, bodyProblem, SUBJECT_LIMIT, subjectProblem } from '../../lib/text-limits.ts'
import { inboxPlace } from './inbox-place.ts'
import { useSharingCompany } from './own-company.ts'
import { PRIORITIES } from './ticket-states.ts'
import { useCreateTicket, type CreatedTicket } from './use-create-ticket.ts'

const ServiceChoices = graphql(`
  query ServiceChoices {
    services(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        description
        archivedAt
      }
    }
  }
`)

interface Draft {
  subject: string
  body: string
  priority: Priority
  serviceId: string | null
  fields: FieldValues
  templateId: string | null
  requester: FoundPerson | null
  tags: string
  files: readonly HeldFile[]
}

const BLANK: Draft = {
  subject: '',
  body: '',
  priority: 'normal',
  serviceId: null,
  fields: {},
  templateId: null,
  requester: null,
  tags: '',
  files: [],
}

/** The value of "none of them"; row ids are UUIDs, so it cannot be one. */
const NONE = 'none'

export interface NewTicketFormProps {
  /** Who writes: a customer of their own accord, or the team for somebody. */
  audience?: 'requester' | 'team'
  onCreated: (ticket: CreatedTicket) => void
  /** What was written somewhere else and goes on here; a draft that is there stays. */
  start?: { subject: string; body: string } | null
}

/** Asks for what the team needs to know. The draft survives a reload and a failed send. */
export function NewTicketForm({ audience = 'requester', onCreated, start }: NewTicketFormProps) {
  const isForSomebody = audience === 'team'
  const { t, i18n } = useTranslation(['tickets', 'components', 'errors'])
  const { draft, change, clear } = useDraft(isForSomebody ? 'new-ticket-for-somebody' : 'new-ticket', BLANK)
  const begin = useRef(() => {
    if (!start || draft.body.includes(start.body)) return
    const body = draft.body.trim() === '' ? start.body : `${draft.body}\n\n${start.body}`
    change({ ...draft, subject: draft.subject || start.subject, body })
  })
  useEffect(() => begin.current(), [])
  const [wasTried, setWasTried] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [isHeld, setIsHeld] = useState(false)
  const [isFileMissing, setIsFileMissing] = useState(false)
  const [{ data }] = useQuery({ query: ServiceChoices })
  const { create, isCreating } = useCreateTicket()
  const { templates, isLoading: areTemplatesLoading } = useTicketTemplates()
  const mutationKey = useMutationKey()
  const company = useSharingCompany()
  const user = useSessionUser()
  const { fields: definitions, reread: rereadFields } = useCustomFields()
  const form = useRef<HTMLFormElement>(null)
  const subjectInput = useRef<HTMLInputElement>(null)
  const bodyInput = useRef<HTMLTextAreaElement>(null)

  const services = (data?.services?.nodes ?? [])
    .filter((node) => node !== null)
    .filter(({ archivedAt }) => archivedAt === null)
  const template = templates.find(({ rowId }) => rowId === draft.templateId)
  const isWaiting = isCreating || (draft.templateId !== null && areTemplatesLoading)
  const serviceId = template ? template.serviceId : draft.serviceId
  const tags = readTags(draft.tags)
  const areTagsWrong = tagsFault(tags, []) !== null
  const number = (value: number) => new Intl.NumberFormat(i18n.language).format(value)
  const subjectFault = subjectProblem(draft.subject)
  const bodyFault = bodyProblem(draft.body)

  const fields = askedFields(definitions, serviceId, draft.fields).filter(
    (field) => field.setByCustomers || isStaff(user.role),
  )
  const isRequired = (field: FieldDefinition) => field.requiredWhen === 'creating'

  function edit(part: Partial<Draft>) {
    change({ ...draft, ...part })
    setProblem(null)
    setIsFileMissing(false)
  }

  const attaching = useAttaching({ files: draft.files, onChange: (files) => edit({ files }) })
  const { isBusy } = attaching

  /** Fills in what a template says, where nobody wrote something else. */
  function beginWith(templateId: string) {
    const next = templates.find(({ rowId }) => rowId === templateId)
    const taken = (written: string, before = '', after = '') =>
      written.trim() === '' || written === before ? after : written
    edit({
      templateId: next?.rowId ?? null,
      subject: taken(draft.subject, template?.subject ?? '', next?.subject ?? ''),
      body: taken(draft.body, template?.body ?? '', next?.body ?? ''),
    })
  }

  async function submit(event?: FormEvent) {
    event?.preventDefault()
    if (isWaiting) return
    setWasTried(true)
    if (isForSomebody && !draft.requester) {
      form.current?.querySelector<HTMLElement>('[role="combobox"]')?.focus()
      return
    }
    if (subjectFault) return subjectInput.current?.focus()
    if (bodyFault) return bodyInput.current?.focus()
    const faulty = fields.find((field) => fieldFault(field, draft.fields[field.key], isRequired(field)))
    if (faulty) return focusField(form.current, faulty.key)
    if (isForSomebody && areTagsWrong) return
    setIsHeld(isBusy)
    if (isBusy) return
    setIsFileMissing(attaching.hasTrouble)
    if (attaching.hasTrouble) return
    const said = {
      subject: draft.subject.trim(),
      body: draft.body.trim(),
      customFields: Object.fromEntries(
        fields
          .filter(({ key }) => isFilled(draft.fields[key]))
          .map((field) => [field.key, sentValue(field, draft.fields[field.key])]),
      ),
      ...(isForSomebody && draft.requester ? { requesterId: draft.requester.rowId } : {}),
      attachmentIds: draft.files.map(({ id }) => id),
    }
    // The service, the urgency and the tags of a template are not asked for again.
    const content = template
      ? { ...said, templateId: template.rowId }
      : { ...said, priority: draft.priority, serviceId, ...(isForSomebody ? { tags } : {}) }
    const { ticket, error } = await create({ ...content, clientMutationKey: mutationKey.keyFor(content) })
    if (!ticket) {
      const refusal: Problem = error ? problemOf(error) : { code: 'UNKNOWN' }
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

  // What was sent while files were on their way leaves when they are there.
  const submitHeld = useEffectEvent(() => {
    if (isHeld && !isBusy) void submit()
  })
  useEffect(() => submitHeld(), [isHeld, isBusy])
  const waitsFor = isHeld ? attaching.underWay : 0

  return (
    <form
      ref={form}
      onSubmit={(event) => void submit(event)}
      onPaste={attaching.onPaste}
      noValidate
      className="flex flex-col gap-6"
    >
      {isForSomebody && (
        <PersonField
          label={t('form.requester')}
          circle="everybody"
          value={draft.requester}
          description={t('form.requesterHint')}
          error={wasTried && !draft.requester ? t('form.requesterMissing') : null}
          onChange={({ rowId, name, email }) => edit({ requester: { rowId, name, email } })}
        />
      )}
      {templates.length > 0 && (
        <Select
          label={t('form.template')}
          value={template?.rowId ?? NONE}
          choices={[
            { value: NONE, label: t('form.templateNone') },
            ...templates.map(({ rowId, name }) => ({ value: rowId, label: name })),
          ]}
          onChange={beginWith}
        />
      )}
      <TextField
        label={t(isForSomebody ? 'form.team.subject' : 'form.subject')}
        {...(isForSomebody ? {} : { description: t('form.subjectHint') })}
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
      {!template && (
        <div className="grid gap-6 sm:grid-cols-2">
          <Select
            label={t('form.service')}
            placeholder={t('form.servicePlaceholder')}
            value={draft.serviceId ?? NONE}
            choices={[
              { value: NONE, label: t(isForSomebody ? 'form.team.serviceNone' : 'form.serviceNone') },
              ...services.map((service) => ({
                value: service.rowId,
                label: service.name,
                description: service.description,
              })),
            ]}
            onChange={(value) => edit({ serviceId: value === NONE ? null : value })}
          />
          <Select
            label={t(isForSomebody ? 'form.team.priority' : 'form.priority')}
            value={draft.priority}
            choices={PRIORITIES.map((value) => ({
              value,
              label: t(`components:priority.${value}`),
              ...(isForSomebody ? {} : { description: t(`form.priorityHint.${value}`) }),
              mark: <PriorityGlyph priority={value} />,
            }))}
            onChange={(priority) => edit({ priority })}
          />
        </div>
      )}
      <TextArea
        label={t('form.description')}
        {...(isForSomebody ? {} : { description: t('form.descriptionHint') })}
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
      <AttachField attaching={attaching} isLocked={isWaiting} isTroubled={isFileMissing} />
      <FieldInputs
        fields={fields}
        values={draft.fields}
        onChange={(key, value) => edit({ fields: { ...draft.fields, [key]: value } })}
        isRequired={isRequired}
        wasTried={wasTried}
        refused={problem?.code === 'FIELD_INVALID' ? problem.field : undefined}
      />
      {isForSomebody && !template && (
        <TextField
          label={t('form.tags')}
          description={t('form.tagsHint')}
          autoComplete="off"
          value={draft.tags}
          onChange={(typed) => edit({ tags: typed })}
          error={areTagsWrong ? t('form.tagsWrong') : null}
        />
      )}
      {company !== null && (
        <p className="flex items-start gap-2 text-sm text-muted">
          <Users className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          <span className="min-w-0 [overflow-wrap:anywhere]">{t('form.shared', { company })}</span>
        </p>
      )}
      {problem && <InlineAlert>{t(`errors:${problem.code}`)}</InlineAlert>}
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" variant="primary" size="large" isPending={isWaiting}>
          <SendWords waitsFor={waitsFor}>{t(isForSomebody ? 'form.team.send' : 'form.send')}</SendWords>
        </Button>
        <StopWaiting waitsFor={waitsFor} onStop={() => setIsHeld(false)} size="large" />
        <ButtonLink to={isForSomebody ? inboxPlace() : '/portal'} variant="quiet" size="large">
          {t('form.cancel')}
        </ButtonLink>
        {(draft.subject || draft.body || draft.files.length > 0) && (
          <span className="text-sm text-muted sm:ms-auto">{t('form.kept')}</span>
        )}
      </div>
    </form>
  )
}
