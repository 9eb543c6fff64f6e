import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Select } from '../../components/select.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { graphql } from '../../graphql/tada.ts'
import type { MailboxPartProps } from './mailbox-form.tsx'

const PlacesQuery = graphql(`
  query MailboxPlaces {
    services(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        archivedAt
      }
    }
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

const NONE = 'none'

/** What becomes of mails that come by it, and when admins are told that none do. */
export function TicketFields({ draft, edit, errorOf }: MailboxPartProps) {
  const { t } = useTranslation('mailboxes')
  const [{ data }] = useQuery({ query: PlacesQuery })
  const places = (
    nodes: readonly ({ rowId: string; name: string; archivedAt?: string | null } | null)[] | undefined,
    chosen: string,
  ) => [
    { value: NONE, label: t('nowhere') },
    ...(nodes ?? [])
      .filter((node) => node !== null)
      .filter((node) => !node.archivedAt || node.rowId === chosen)
      .map((node) => ({ value: node.rowId, label: node.name })),
  ]
  return (
    <SettingsSection title={t('tickets.title')} intro={t('tickets.intro')}>
      <div className="flex flex-col gap-5 p-5">
        <div className="grid items-start gap-5 sm:grid-cols-2">
          <Select
            label={t('service')}
            choices={places(data?.services.nodes, draft.serviceId)}
            value={draft.serviceId || NONE}
            onChange={(value) => edit({ serviceId: value === NONE ? '' : value })}
          />
          <Select
            label={t('team')}
            description={t('teamHint')}
            choices={places(data?.teams.nodes, draft.teamId)}
            value={draft.teamId || NONE}
            onChange={(value) => edit({ teamId: value === NONE ? '' : value })}
          />
        </div>
        <Switch
          isSelected={draft.acceptsStrangers}
          onChange={(acceptsStrangers) => edit({ acceptsStrangers })}
          description={t('strangersHint')}
        >
          {t('strangers')}
        </Switch>
        <Switch
          isSelected={draft.acceptsLists}
          onChange={(acceptsLists) => edit({ acceptsLists })}
          description={t('listsHint')}
        >
          {t('lists')}
        </Switch>
        <div className="grid items-start gap-5 sm:grid-cols-2">
          <TextField
            label={t('maxMegabytes')}
            description={t('maxMegabytesHint')}
            inputMode="decimal"
            autoComplete="off"
            value={draft.maxMegabytes}
            onChange={(maxMegabytes) => edit({ maxMegabytes })}
            error={errorOf('maxMegabytes')}
          />
          <TextField
            label={t('alarmMinutes')}
            description={t('alarmMinutesHint')}
            inputMode="numeric"
            autoComplete="off"
            value={draft.alarmMinutes}
            onChange={(alarmMinutes) => edit({ alarmMinutes })}
            error={errorOf('alarmMinutes')}
          />
        </div>
      </div>
    </SettingsSection>
  )
}
