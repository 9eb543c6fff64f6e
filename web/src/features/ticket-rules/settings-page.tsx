import { useCallback, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { readSetting, type SettingName, SETTINGS } from './settings.ts'

const SettingsFragment = graphql(`
  fragment TicketSettingsForm on TicketSetting {
    id
    reopenDays
    closeResolvedDays
    resolvePendingDays
    undoSendSeconds
  }
`)

const SettingsQuery = graphql(
  `
    query TicketSettings {
      currentTicketSettings {
        id
        ...TicketSettingsForm
      }
    }
  `,
  [SettingsFragment],
)

const UpdateSettings = graphql(
  `
    mutation UpdateTicketSettings($id: ID!, $patch: TicketSettingPatch!) {
      updateTicketSetting(input: { id: $id, patch: $patch }) {
        ticketSetting {
          id
          ...TicketSettingsForm
        }
      }
    }
  `,
  [SettingsFragment],
)

/** How tickets end, and how long a reply can be taken back. */
export function TicketSettingsPage() {
  const { t } = useTranslation(['ticket-rules', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: SettingsQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const settings = data?.currentTicketSettings
  return (
    <>
      <PageHeader title={t('settings.title')} intro={t('settings.intro')} />
      {settings ? (
        <SettingsForm settings={settings} />
      ) : error ? (
        <ErrorState title={t('settings.error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : (
        <div role="status" aria-label={t('loading')}>
          <Skeleton className="h-64 rounded-xl" />
        </div>
      )}
    </>
  )
}

function SettingsForm({ settings: held }: { settings: FragmentOf<typeof SettingsFragment> }) {
  const { t } = useTranslation('ticket-rules')
  const settings = readFragment(SettingsFragment, held)
  const [typed, setTyped] = useState<Partial<Record<SettingName, string>>>({})
  const [, updateSettings] = useMutation(UpdateSettings)
  const { send, isSending, problem, clear } = useSubmission()
  const valueOf = (name: SettingName) => typed[name] ?? String(settings[name] ?? '')
  const readings = SETTINGS.map(({ name }) => ({ name, reading: readSetting(name, valueOf(name)) }))
  const isFaulty = readings.some(({ reading }) => reading === 'fault')
  const isChanged = readings.some(({ name, reading }) => reading !== settings[name])

  function submit(event: FormEvent) {
    event.preventDefault()
    if (isFaulty) return
    void send(async () => {
      const patch = Object.fromEntries(readings.map(({ name, reading }) => [name, reading]))
      dataOf(await updateSettings({ id: settings.id, patch }))
      setTyped({})
      notify({ tone: 'success', title: t('settings.saved') })
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-8">
      {(['end', 'undo'] as const).map((group) => (
        <SettingsSection
          key={group}
          title={t(`settings.group.${group}.title`)}
          intro={t(`settings.group.${group}.intro`)}
        >
          <div className="flex flex-col gap-5 p-5">
            {readings
              .filter(({ name }) => (name === 'undoSendSeconds') === (group === 'undo'))
              .map(({ name, reading }) => (
                <TextField
                  key={name}
                  label={t(`settings.${name}.label`)}
                  description={t(`settings.${name}.hint`)}
                  inputMode="numeric"
                  autoComplete="off"
                  value={valueOf(name)}
                  onChange={(value) => {
                    setTyped({ ...typed, [name]: value })
                    if (problem) clear()
                  }}
                  error={reading === 'fault' ? t(`settings.${name}.fault`) : null}
                />
              ))}
          </div>
        </SettingsSection>
      ))}
      {problem && <ProblemAlert problem={problem} />}
      <SaveRow
        isChanged={isChanged}
        isSending={isSending}
        onDiscard={() => {
          setTyped({})
          clear()
        }}
      />
    </form>
  )
}
