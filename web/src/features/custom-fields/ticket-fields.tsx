import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { FieldInputs, focusField } from '../../components/field-inputs.tsx'
import { FieldValue } from '../../components/field-value.tsx'
import { PanelSection } from '../../components/panel-section.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { useCustomFields, type CustomField } from '../../graphql/custom-fields.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import {
  askedFields,
  fieldFault,
  fieldValues,
  isFilled,
  sentValue,
  type FieldValues,
} from '../../lib/custom-fields.ts'
import { useSubmission } from '../../lib/submission.ts'

export const TicketFieldsFragment = graphql(`
  fragment TicketFields on Ticket {
    id
    status
    serviceId
    customFields
    internalFields
  }
`)

const SaveTicketFields = graphql(`
  mutation SaveTicketFields($id: ID!, $values: JSON!) {
    updateTicket(input: { id: $id, patch: { customFields: $values } }) {
      ticket {
        id
        version
        updatedAt
        customFields
        internalFields
      }
    }
  }
`)

/** What a ticket says in the fields of the organization, read and changed in place. */
export function TicketFields({ ticket: told }: { ticket: FragmentOf<typeof TicketFieldsFragment> }) {
  const { t } = useTranslation('custom-fields')
  const ticket = readFragment(TicketFieldsFragment, told)
  const { fields } = useCustomFields()
  const [isEditing, setIsEditing] = useState(false)
  const [wasEdited, setWasEdited] = useState(false)
  const values = { ...fieldValues(ticket.internalFields), ...fieldValues(ticket.customFields) }

  const asked = askedFields(fields, ticket.serviceId, values)
  const shown = fields.filter((field) => asked.includes(field) || isFilled(values[field.key]))
  // A desk without fields says nothing of them.
  if (shown.length === 0) return null

  function close() {
    setIsEditing(false)
    setWasEdited(true)
  }

  return (
    <PanelSection
      title={t('panel.title')}
      actions={
        asked.length > 0 &&
        !isEditing && (
          <Button
            // The focus was in the form that goes.
            autoFocus={wasEdited}
            size="small"
            variant="quiet"
            aria-label={t('panel.edit')}
            onPress={() => setIsEditing(true)}
          >
            {t('change')}
          </Button>
        )
      }
    >
      {isEditing ? (
        <FieldsForm
          ticket={{
            id: ticket.id,
            serviceId: ticket.serviceId,
            isDone: ticket.status === 'resolved' || ticket.status === 'closed',
          }}
          fields={fields}
          values={values}
          onClose={close}
        />
      ) : (
        <FieldList fields={shown} values={values} withEmpty />
      )}
    </PanelSection>
  )
}

interface FieldListProps {
  fields: readonly CustomField[]
  values: FieldValues
  /** Whether those without a value are named as well. */
  withEmpty?: boolean
}

function FieldList({ fields, values, withEmpty = false }: FieldListProps) {
  const { t } = useTranslation('custom-fields')
  return (
    <dl className="grid grid-cols-[minmax(5rem,auto)_minmax(0,1fr)] items-baseline gap-x-4 gap-y-2.5 text-sm">
      {fields
        .filter((field) => withEmpty || isFilled(values[field.key]))
        .map((field) => (
          <div key={field.key} className="contents">
            <dt className="max-w-36 text-muted [overflow-wrap:anywhere]">
              {field.label}
              {field.archivedAt !== null && <span className="block text-xs">{t('panel.retired')}</span>}
            </dt>
            <dd className="[overflow-wrap:anywhere] whitespace-pre-line">
              {isFilled(values[field.key]) ? (
                <FieldValue field={field} value={values[field.key]} />
              ) : (
                <span className="text-faint">
                  {t(field.requiredWhen === 'resolving' ? 'panel.needed' : 'panel.empty')}
                </span>
              )}
            </dd>
          </div>
        ))}
    </dl>
  )
}

interface FieldsFormProps {
  ticket: { id: string; serviceId: string | null; isDone: boolean }
  fields: readonly CustomField[]
  values: FieldValues
  onClose: () => void
}

function FieldsForm({ ticket, fields, values, onClose }: FieldsFormProps) {
  const { t } = useTranslation(['custom-fields', 'components'])
  // What is typed alone: what somebody else saves meanwhile stays theirs.
  const [typed, setTyped] = useState<FieldValues>({})
  const [wasTried, setWasTried] = useState(false)
  const [, save] = useMutation(SaveTicketFields)
  const { send, isSending, problem, clear } = useSubmission()
  const form = useRef<HTMLFormElement>(null)
  const now = { ...values, ...typed }
  const asked = askedFields(fields, ticket.serviceId, now)
  const isRequired = ({ key, requiredWhen }: CustomField) =>
    (requiredWhen === 'creating' && isFilled(values[key])) || (requiredWhen === 'resolving' && ticket.isDone)
  const requires = (field: { key: string }) =>
    asked.some((each) => each.key === field.key && isRequired(each))
  const refused = asked.find(({ key }) => key === problem?.field)?.key
  const first = asked[0]?.key

  useEffect(() => {
    if (first !== undefined) focusField(form.current, first)
    // Only when the form opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    const faulty = asked.find((field) => fieldFault(field, now[field.key], isRequired(field)))
    if (faulty) return focusField(form.current, faulty.key)
    const patch = Object.fromEntries(
      asked
        .map((field): [string, unknown] => [field.key, sentValue(field, now[field.key])])
        .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(values[key] ?? null)),
    )
    if (Object.keys(patch).length === 0) return onClose()
    void send(
      async () => {
        dataOf(await save({ id: ticket.id, values: patch }))
        onClose()
      },
      ({ field }) => field !== undefined && focusField(form.current, field),
    )
  }

  return (
    <form ref={form} onSubmit={submit} noValidate className="flex flex-col gap-4">
      <FieldInputs
        fields={asked}
        values={now}
        onChange={(key, value) => {
          setTyped({ ...typed, [key]: value })
          if (problem) clear()
        }}
        isRequired={requires}
        wasTried={wasTried}
        refused={refused}
      />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" size="small" isPending={isSending}>
          {t('components:save')}
        </Button>
        <Button size="small" variant="quiet" onPress={onClose}>
          {t('components:cancel')}
        </Button>
      </div>
    </form>
  )
}

/** What a request says in the fields that its requester sees. */
export function SharedFields({ values: json }: { values: unknown }) {
  const { t } = useTranslation('custom-fields')
  const values = fieldValues(json)
  const isEmpty = Object.keys(values).length === 0
  const { fields } = useCustomFields({ pause: isEmpty })
  const shown = fields.filter(({ key }) => isFilled(values[key]))
  if (shown.length === 0) return null
  return (
    <section
      aria-label={t('portal.title')}
      className="rounded-xl border border-border bg-surface px-4 py-3.5"
    >
      <FieldList fields={shown} values={values} />
    </section>
  )
}
