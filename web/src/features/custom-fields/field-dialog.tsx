import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import type { CustomField } from '../../graphql/custom-fields.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { ConditionInputs } from './condition-inputs.tsx'
import {
  draftFaults,
  draftOf,
  FIELD_TYPES,
  hasLength,
  hasOptions,
  keyOf,
  REQUIREMENTS,
  sentDraft,
  type FieldDraft,
} from './field-draft.ts'
import { OptionInputs } from './option-inputs.tsx'
import { ServiceInputs } from './service-inputs.tsx'

const CreateCustomField = graphql(`
  mutation CreateCustomField($input: CreateCustomFieldInput!) {
    createCustomField(input: $input) {
      customField {
        id
      }
    }
  }
`)

const ChangeCustomField = graphql(`
  mutation ChangeCustomField($input: ChangeCustomFieldInput!) {
    changeCustomField(input: $input) {
      customField {
        id
      }
    }
  }
`)

const ArchiveCustomField = graphql(`
  mutation ArchiveCustomField($fieldId: UUID!) {
    archiveCustomField(input: { fieldId: $fieldId }) {
      customField {
        id
        archivedAt
      }
    }
  }
`)

export interface FieldDialogProps {
  /** The field to change; null makes one. */
  field: CustomField | null
  /** All there are, for conditions. */
  fields: readonly CustomField[]
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes, changes or retires a field. */
export function FieldDialog({ field, fields, isOpen, onClose, onChanged }: FieldDialogProps) {
  const { t } = useTranslation('custom-fields')
  const [hasDraft, setHasDraft] = useState(false)
  const [, archive] = useMutation(ArchiveCustomField)

  function done(word: 'made' | 'saved' | 'retired', name: string) {
    notify({ tone: 'success', title: t(word, { name }) })
    onClose()
    onChanged()
  }

  return (
    <DraftDialog title={field?.label ?? t('make')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <FieldForm
        field={field}
        fields={fields}
        onDraft={setHasDraft}
        onClose={onClose}
        onSaved={(name) => done(field ? 'saved' : 'made', name)}
      />
      {field && (
        <div className="flex flex-wrap items-center justify-between gap-3 border-t border-border pt-4">
          <p className="max-w-[36ch] text-sm text-muted">{t('retireHint')}</p>
          <ConfirmedButton
            title={t('retireTitle', { name: field.label })}
            explanation={t('retireBody')}
            action={t('retire')}
            run={async () => {
              dataOf(await archive({ fieldId: field.rowId }))
              done('retired', field.label)
            }}
          >
            {t('retire')}
          </ConfirmedButton>
        </div>
      )}
    </DraftDialog>
  )
}

interface FieldFormProps {
  field: CustomField | null
  fields: readonly CustomField[]
  /** Tells whether something is typed that is not saved. */
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onSaved: (name: string) => void
}

function FieldForm({ field, fields, onDraft, onClose, onSaved }: FieldFormProps) {
  const { t } = useTranslation(['custom-fields', 'components'])
  const [start] = useState(() => draftOf(field))
  const [typed, setTyped] = useState(start)
  const [wasKeyTyped, setWasKeyTyped] = useState(false)
  const [wasTried, setWasTried] = useState(false)
  const [, create] = useMutation(CreateCustomField)
  const [, save] = useMutation(ChangeCustomField)
  const { send, isSending, problem, clear } = useSubmission()
  const form = useRef<HTMLFormElement>(null)
  const isNew = field === null
  const draft: FieldDraft = isNew && !wasKeyTyped ? { ...typed, key: keyOf(typed.label) } : typed
  const faults = draftFaults(draft)
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged = JSON.stringify(typed) !== JSON.stringify(start)
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function edit(part: Partial<FieldDraft>) {
    setTyped({ ...typed, ...part })
    if (problem) clear()
  }

  const faultOf = (part: keyof FieldDraft) => {
    const fault = faults[part]
    return wasTried && fault ? t(`fault.${fault}`) : null
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    const [first] = Object.keys(faults)
    if (first) {
      form.current?.querySelector<HTMLElement>(`[data-part="${first}"] :is(input, button)`)?.focus()
      return
    }
    void send(async () => {
      const said = sentDraft(
        draft,
        field?.options.map(({ key }) => key),
      )
      if (field) {
        dataOf(await save({ input: { fieldId: field.rowId, ...said } }))
      } else {
        const { key, type, seenByCustomers } = draft
        dataOf(await create({ input: { key, type, seenByCustomers, ...said } }))
      }
      onSaved(said.label)
    })
  }

  return (
    <form ref={form} onSubmit={submit} noValidate className="flex flex-col gap-5">
      <div data-part="label">
        <TextField
          label={t('form.label')}
          description={t('form.labelHint')}
          autoComplete="off"
          autoFocus
          value={typed.label}
          onChange={(label) => edit({ label })}
          limit={80}
          error={faultOf('label')}
        />
      </div>
      {isNew && (
        <>
          <div data-part="key">
            <TextField
              label={t('form.key')}
              description={t('form.keyHint')}
              autoComplete="off"
              spellCheck="false"
              value={draft.key}
              onChange={(key) => {
                setWasKeyTyped(true)
                edit({ key })
              }}
              error={isTaken ? t('fault.taken') : faultOf('key')}
            />
          </div>
          <Select
            label={t('form.type')}
            description={t('form.typeHint')}
            value={typed.type}
            choices={FIELD_TYPES.map((type) => ({ value: type, label: t(`type.${type}`) }))}
            onChange={(type) => edit({ type })}
          />
        </>
      )}
      {hasOptions(typed.type) && (
        <div data-part="options">
          <OptionInputs
            options={typed.options}
            onChange={(options) => edit({ options })}
            error={faultOf('options')}
          />
        </div>
      )}
      {typed.type === 'number' && (
        <div className="grid gap-5 sm:grid-cols-2">
          {(['minimum', 'maximum'] as const).map((part) => (
            <div key={part} data-part={part}>
              <TextField
                label={t(`form.${part}`)}
                inputMode="decimal"
                autoComplete="off"
                value={typed[part]}
                onChange={(value) => edit({ [part]: value })}
                error={faultOf(part)}
              />
            </div>
          ))}
        </div>
      )}
      {hasLength(typed.type) && (
        <div data-part="maxLength">
          <TextField
            label={t('form.maxLength')}
            inputMode="numeric"
            autoComplete="off"
            value={typed.maxLength}
            onChange={(maxLength) => edit({ maxLength })}
            error={faultOf('maxLength')}
          />
        </div>
      )}
      <TextField
        label={t('form.help')}
        description={t('form.helpHint')}
        autoComplete="off"
        value={typed.help}
        onChange={(help) => edit({ help })}
        limit={500}
      />
      {isNew && (
        <Switch
          isSelected={typed.seenByCustomers}
          onChange={(seenByCustomers) =>
            edit({ seenByCustomers, visibleWhenField: null, visibleWhenValues: [] })
          }
          description={t('form.sharedHint')}
        >
          {t('form.shared')}
        </Switch>
      )}
      {typed.seenByCustomers && typed.type !== 'user' && (
        <Switch isSelected={typed.setByCustomers} onChange={(setByCustomers) => edit({ setByCustomers })}>
          {t('form.asked')}
        </Switch>
      )}
      <Select
        label={t('form.required')}
        value={typed.requiredWhen}
        choices={REQUIREMENTS.map((value) => ({ value, label: t(`form.requiredWhen.${value}`) }))}
        onChange={(requiredWhen) => edit({ requiredWhen })}
      />
      <div data-part="serviceIds">
        <ServiceInputs
          serviceIds={typed.serviceIds}
          onChange={(serviceIds) => edit({ serviceIds })}
          error={faultOf('serviceIds')}
        />
      </div>
      <div data-part="visibleWhenValues" className="empty:hidden">
        <ConditionInputs draft={draft} fields={fields} onChange={edit} error={faultOf('visibleWhenValues')} />
      </div>
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {isNew ? t('make') : t('components:save')}
        </Button>
      </div>
    </form>
  )
}
