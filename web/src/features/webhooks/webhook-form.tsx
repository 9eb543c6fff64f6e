import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { EventPicker } from './event-picker.tsx'
import { faultOf, NAME_LIMIT, sent, URL_LIMIT, type WebhookDraft } from './webhook-draft.ts'
import { WebhookHealthFragment } from './webhook-health.tsx'

export const WebhookFormFragment = graphql(`
  fragment WebhookForm on Webhook {
    id
    name
    url
    eventTypes
    includesInternal
    allowInternal
    isEnabled
  }
`)

const SaveWebhook = graphql(
  `
    mutation SaveWebhook($input: SaveWebhookInput!) {
      saveWebhook(input: $input) {
        webhook {
          id
          rowId
          waiting
          ...WebhookForm
          ...WebhookHealth
        }
      }
    }
  `,
  [WebhookFormFragment, WebhookHealthFragment],
)

export interface WebhookFormProps {
  /** Null while it is not saved. */
  webhookId: string | null
  saved: WebhookDraft
  onSaved: (webhookId: string) => void
  /** Told whether another address is typed than the one that is saved. */
  onAddress?: (isOther: boolean) => void
}

/** Which address is called, with what, and of which events. */
export function WebhookForm({ webhookId, saved, onSaved, onAddress }: WebhookFormProps) {
  const { t } = useTranslation('webhooks')
  const [edits, setEdits] = useState<Partial<WebhookDraft>>({})
  const [wasTried, setWasTried] = useState(false)
  const [, saveWebhook] = useMutation(SaveWebhook)
  const { send, isSending, problem, clear } = useSubmission()
  const form = useRef<HTMLFormElement>(null)
  const draft = { ...saved, ...edits }
  const fault = faultOf(draft)
  const shown = wasTried ? fault : null
  const isTaken = problem?.code === 'CONFLICT'
  const isInside = problem?.code === 'WEBHOOK_ADDRESS_INTERNAL'
  const isChanged = webhookId === null || JSON.stringify(sent(draft)) !== JSON.stringify(sent(saved))

  const isOther = draft.url.trim() !== saved.url.trim() || draft.allowInternal !== saved.allowInternal
  useEffect(() => onAddress?.(isOther), [isOther, onAddress])

  function edit(part: Partial<WebhookDraft>) {
    setEdits({ ...edits, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault !== null) {
      // The fields are marked with the next frame.
      requestAnimationFrame(() =>
        form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-missing] input')?.focus(),
      )
      return
    }
    void send(async () => {
      const { saveWebhook: answer } = dataOf(
        await saveWebhook({ input: { ...sent(draft), ...(webhookId ? { webhookId } : {}) } }),
      )
      const made = answer?.webhook
      if (!made) return
      setEdits({})
      setWasTried(false)
      notify({ tone: 'success', title: t('saved', { name: draft.name.trim() }) })
      onSaved(made.rowId)
    })
  }

  return (
    <form ref={form} onSubmit={submit} noValidate className="flex flex-col gap-8">
      <SettingsSection title={t('address.title')} intro={t('address.intro')}>
        <div className="flex flex-col gap-5 p-5">
          <TextField
            label={t('name')}
            value={draft.name}
            onChange={(name) => edit({ name })}
            limit={NAME_LIMIT}
            autoComplete="off"
            error={
              isTaken
                ? t('fault.taken')
                : shown === 'name' || shown === 'nameLong'
                  ? t(`fault.${shown}`)
                  : null
            }
          />
          <TextField
            label={t('address.url')}
            description={t('address.urlHint')}
            value={draft.url}
            onChange={(url) => edit({ url })}
            limit={URL_LIMIT}
            inputMode="url"
            autoComplete="off"
            placeholder="https://"
            error={
              isInside
                ? t('fault.inside')
                : shown === 'url' || shown === 'login' || shown === 'fragment'
                  ? t(`fault.${shown}`)
                  : null
            }
          />
          <Switch
            isSelected={draft.allowInternal}
            onChange={(allowInternal) => edit({ allowInternal })}
            description={t('address.allowInternalHint')}
          >
            {t('address.allowInternal')}
          </Switch>
          <Switch
            isSelected={draft.isEnabled}
            onChange={(isEnabled) => edit({ isEnabled })}
            description={t('address.isEnabledHint')}
          >
            {t('address.isEnabled')}
          </Switch>
        </div>
      </SettingsSection>
      <SettingsSection title={t('events.title')} intro={t('events.intro')}>
        <div className="flex flex-col gap-6 p-5" {...(shown === 'events' ? { 'data-missing': '' } : {})}>
          <EventPicker draft={draft} onChange={edit} isMissing={shown === 'events'} />
          <Switch
            isSelected={draft.includesInternal}
            onChange={(includesInternal) => edit({ includesInternal })}
            description={t('events.internalHint')}
          >
            {t('events.internal')}
          </Switch>
        </div>
        <div className="flex flex-col gap-4 border-t border-border p-5">
          {problem && !isTaken && !isInside && <ProblemAlert problem={problem} />}
          <SaveRow
            isChanged={isChanged}
            isSending={isSending}
            onDiscard={() => {
              setEdits({})
              setWasTried(false)
              clear()
            }}
            {...(webhookId === null ? { label: t('make') } : {})}
          />
        </div>
      </SettingsSection>
    </form>
  )
}
