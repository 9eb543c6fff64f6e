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
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { ConnectionFields } from './connection-fields.tsx'
import {
  faultsOf,
  isConnectedOtherwise,
  NAME_LIMIT,
  needsSecretAnew,
  secretOf,
  settingsOf,
  type FaultyField,
  type MailboxDraft,
} from './mailbox-draft.ts'
import { writeMailboxSecret } from './mailbox-secret.ts'
import { TicketFields } from './ticket-fields.tsx'

export const MailboxFormFragment = graphql(`
  fragment MailboxForm on Mailbox {
    id
    name
    address
    host
    port
    security
    auth
    username
    folder
    processedFolder
    tokenEndpoint
    clientId
    scopes
    serviceId
    teamId
    isDefault
    isEnabled
    acceptsStrangers
    acceptsLists
    maxMailBytes
    alarmMinutes
  }
`)

const SaveMailbox = graphql(
  `
    mutation SaveMailbox($input: SaveMailboxInput!) {
      saveMailbox(input: $input) {
        mailbox {
          id
          rowId
          hasSecret
          updatedAt
          ...MailboxForm
        }
      }
    }
  `,
  [MailboxFormFragment],
)

/** The settings behind a fragment. */
export function readMailbox(mailbox: FragmentOf<typeof MailboxFormFragment>) {
  return readFragment(MailboxFormFragment, mailbox)
}

export interface MailboxFormProps {
  /** Null while it is not saved. */
  mailboxId: string | null
  hasSecret: boolean
  fromEnvironment: boolean
  saved: MailboxDraft
  onSaved: (mailboxId: string) => void
  /** Told whether the connection that is typed is another than the one that is saved. */
  onConnection?: (isOther: boolean) => void
}

/** What each group of fields is given. */
export interface MailboxPartProps {
  draft: MailboxDraft
  edit: (part: Partial<MailboxDraft>) => void
  /** What is wrong with a field, in words, once saving was tried. */
  errorOf: (field: FaultyField) => string | null
}

/** All settings of a mailbox, saved together; the secret goes its own way and is never shown again. */
export function MailboxForm({
  mailboxId,
  hasSecret,
  fromEnvironment,
  saved,
  onSaved,
  onConnection,
}: MailboxFormProps) {
  const { t } = useTranslation('mailboxes')
  const [edits, setEdits] = useState<Partial<MailboxDraft>>({})
  const [wasTried, setWasTried] = useState(false)
  const [, saveMailbox] = useMutation(SaveMailbox)
  const { send, isSending, problem, clear } = useSubmission()
  const form = useRef<HTMLFormElement>(null)
  const draft = { ...saved, ...edits }
  // What is stored goes with the server and the account it was given for, and with no other.
  const losesSecret = hasSecret && !fromEnvironment && needsSecretAnew(saved, draft)
  const faults = {
    ...faultsOf(draft),
    ...(losesSecret && secretOf(draft) === null ? { secret: 'odd' as const } : {}),
  }
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged =
    draft.secret !== '' || JSON.stringify(settingsOf(draft)) !== JSON.stringify(settingsOf(saved))
  const isOther = isConnectedOtherwise(saved, draft)
  useEffect(() => onConnection?.(isOther), [isOther, onConnection])
  const secretHint = losesSecret ? 'anew' : hasSecret ? 'keep' : 'hint'

  const edit = (part: Partial<MailboxDraft>) => {
    setEdits({ ...edits, ...part })
    if (problem) clear()
  }
  const errorOf = (field: FaultyField) => {
    const fault = faults[field]
    return fault && wasTried ? t(fault === 'odd' ? `odd.${field as 'address'}` : `fault.${fault}`) : null
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (Object.keys(faults).length > 0) {
      // The fields are marked with the next frame.
      requestAnimationFrame(() =>
        form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-invalid] input')?.focus(),
      )
      return
    }
    void send(async () => {
      const { saveMailbox: answer } = dataOf(
        await saveMailbox({ input: { ...settingsOf(draft), ...(mailboxId ? { mailboxId } : {}) } }),
      )
      const made = answer?.mailbox
      if (!made) return
      const secret = secretOf(draft)
      // The settings are kept; only what is secret would have to be sent again.
      setEdits({ secret: draft.secret, clientSecret: draft.clientSecret })
      if (secret) {
        try {
          await writeMailboxSecret(made.rowId, secret)
        } catch (error) {
          if (mailboxId) throw error
          notify({ tone: 'danger', title: t('secret.failed') })
        }
      }
      setEdits({})
      setWasTried(false)
      notify({ tone: 'success', title: t('saved', { name: draft.name.trim() }) })
      onSaved(made.rowId)
    })
  }

  const part = { draft, edit, errorOf }
  return (
    <form ref={form} onSubmit={submit} noValidate className="flex flex-col gap-8">
      <SettingsSection title={t('naming.title')} intro={t('naming.intro')}>
        <div className="flex flex-col gap-5 p-5">
          <div className="grid items-start gap-5 sm:grid-cols-2">
            <TextField
              label={t('name')}
              description={t('nameHint')}
              autoComplete="off"
              value={draft.name}
              onChange={(name) => edit({ name })}
              limit={NAME_LIMIT}
              error={errorOf('name') ?? (isTaken ? t('fault.taken') : null)}
            />
            <TextField
              label={t('address')}
              description={t('addressHint')}
              type="email"
              inputMode="email"
              autoComplete="off"
              placeholder="support@example.com"
              isDisabled={fromEnvironment}
              value={draft.address}
              onChange={(address) =>
                edit({ address, ...(draft.username === draft.address ? { username: address } : {}) })
              }
              error={errorOf('address') ?? (isTaken ? t('fault.taken') : null)}
            />
          </div>
          <Switch
            isSelected={draft.isDefault}
            onChange={(isDefault) => edit({ isDefault })}
            description={t('defaultHint')}
          >
            {t('makeDefault')}
          </Switch>
          <Switch
            isSelected={draft.isEnabled}
            onChange={(isEnabled) => edit({ isEnabled })}
            description={t('enabledHint')}
          >
            {t('enabled')}
          </Switch>
        </div>
      </SettingsSection>
      <ConnectionFields {...part} secretHint={secretHint} fromEnvironment={fromEnvironment} />
      <TicketFields {...part} />
      <div className="flex flex-col gap-4 border-t border-border pt-6 xl:ms-78">
        {problem && !isTaken && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={isChanged}
          isSending={isSending}
          {...(mailboxId ? {} : { label: t('addThis') })}
          onDiscard={() => {
            setEdits({})
            setWasTried(false)
            clear()
          }}
        />
      </div>
    </form>
  )
}
