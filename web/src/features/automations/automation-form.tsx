import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ActionEditor } from '../../components/action-editor.tsx'
import { ConditionEditor } from '../../components/condition-editor.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { useRuleChoices } from '../../graphql/rule-choices.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { faultOf, KINDS, NAME_LIMIT, sent, type AutomationDraft } from './automation-draft.ts'
import { DryRun } from './dry-run.tsx'
import { TriggerFields } from './trigger-fields.tsx'

export const AutomationFormFragment = graphql(`
  fragment AutomationForm on Automation {
    id
    name
    kind
    eventTypes
    actors
    visibility
    toValues
    conditions
    actions
  }
`)

const CreateAutomation = graphql(`
  mutation CreateAutomation($input: CreateAutomationInput!) {
    createAutomation(input: $input) {
      automation {
        id
        rowId
      }
    }
  }
`)

const UpdateAutomation = graphql(
  `
    mutation UpdateAutomation($id: ID!, $patch: AutomationPatch!) {
      updateAutomation(input: { id: $id, patch: $patch }) {
        automation {
          id
          rowId
          updatedAt
          ...AutomationForm
        }
      }
    }
  `,
  [AutomationFormFragment],
)

export interface AutomationFormProps {
  /** The automation to change; null makes one. */
  id: string | null
  saved: AutomationDraft
  onSaved: (automationId: string) => void
}

/** When, if, then; and what that would do. */
export function AutomationForm({ id, saved, onSaved }: AutomationFormProps) {
  const { t } = useTranslation(['automations', 'components'])
  const [draft, setDraft] = useState(saved)
  const [wasTried, setWasTried] = useState(false)
  const choices = useRuleChoices()
  const [, createAutomation] = useMutation(CreateAutomation)
  const [, updateAutomation] = useMutation(UpdateAutomation)
  const { send, isSending, problem, clear } = useSubmission()
  const fault = faultOf(draft)
  const isTaken = problem?.code === 'CONFLICT'
  const isAboutName = fault === 'name' || fault === 'nameLong'

  function edit(part: Partial<AutomationDraft>) {
    setDraft({ ...draft, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return
    void send(async () => {
      const automation = id
        ? dataOf(await updateAutomation({ id, patch: sent(draft) })).updateAutomation?.automation
        : dataOf(await createAutomation({ input: { ...sent(draft), kind: draft.kind } })).createAutomation
            ?.automation
      notify({ tone: 'success', title: t('saved', { name: draft.name.trim() }) })
      setWasTried(false)
      if (automation) onSaved(automation.rowId)
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-8">
      <SettingsSection title={t('when.title')} intro={t('when.intro')}>
        <div className="flex flex-col gap-5 p-5">
          <TextField
            label={t('name')}
            autoComplete="off"
            value={draft.name}
            onChange={(name) => edit({ name })}
            limit={NAME_LIMIT}
            error={isTaken ? t('fault.taken') : wasTried && isAboutName ? t(`fault.${fault}`) : null}
          />
          {id === null && (
            <Segmented
              label={t('when.kind')}
              segments={KINDS.map((kind) => ({ value: kind, label: t(`kind.${kind}`) }))}
              value={draft.kind}
              onChange={(kind) => edit({ kind })}
            />
          )}
          {draft.kind === 'event' ? (
            <TriggerFields draft={draft} onChange={edit} error={wasTried && fault === 'events'} />
          ) : (
            <p className="text-sm text-muted">{t('when.time')}</p>
          )}
        </div>
      </SettingsSection>
      <SettingsSection title={t('if.title')} intro={t(`if.intro.${draft.kind}`)}>
        <div className="flex flex-col gap-6 p-5">
          <ConditionEditor
            label={t('if.all')}
            conditions={draft.conditions.all}
            onChange={(all) => edit({ conditions: { ...draft.conditions, all } })}
            choices={choices}
          />
          <ConditionEditor
            label={t('if.any')}
            conditions={draft.conditions.any}
            onChange={(any) => edit({ conditions: { ...draft.conditions, any } })}
            choices={choices}
          />
        </div>
      </SettingsSection>
      <SettingsSection title={t('then.title')} intro={t('then.intro')}>
        <div className="flex flex-col gap-6 p-5">
          <ActionEditor
            label={t('then.list')}
            actions={draft.actions}
            onChange={(actions) => edit({ actions })}
            choices={choices}
          />
        </div>
      </SettingsSection>
      <div className="flex flex-col gap-4 xl:ps-[19.5rem]">
        {wasTried && fault && !isAboutName && <InlineAlert tone="danger">{t(`fault.${fault}`)}</InlineAlert>}
        {problem && !isTaken && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={JSON.stringify(draft) !== JSON.stringify(saved)}
          isSending={isSending}
          onDiscard={() => {
            setDraft(saved)
            setWasTried(false)
            clear()
          }}
          {...(id === null ? { label: t('make') } : {})}
        />
      </div>
      <DryRun draft={draft} isReady={fault === null || isAboutName} />
    </form>
  )
}
