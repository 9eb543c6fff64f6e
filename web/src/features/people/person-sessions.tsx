import { Monitor, Smartphone, Terminal } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { deviceOf } from '../../lib/device.ts'

export const PersonSessionFragment = graphql(`
  fragment PersonSession on LoginSession {
    rowId
    ipAddress
    userAgent
    createdAt
    refreshedAt
    isCurrent
  }
`)

const EndSessionsOf = graphql(`
  mutation EndSessionsOf($userId: UUID!) {
    endSessionsOf(input: { userId: $userId }) {
      count
    }
  }
`)

const EndSessionOfPerson = graphql(`
  mutation EndSessionOfPerson($sessionId: UUID!) {
    endSession(input: { sessionId: $sessionId }) {
      ended
    }
  }
`)

const SIGNS = { handheld: Smartphone, computer: Monitor, program: Terminal }

export interface PersonSessionsProps {
  userId: string
  name: string
  isOwn: boolean
  sessions: readonly (FragmentOf<typeof PersonSessionFragment> & { rowId: string })[]
  onChanged: () => void
}

/** Where somebody is signed in. */
export function PersonSessions({ userId, name, isOwn, sessions, onChanged }: PersonSessionsProps) {
  const { t } = useTranslation('people')
  const [, endSessionsOf] = useMutation(EndSessionsOf)
  return (
    <SettingsSection title={t('sessions.title')} intro={t('sessions.intro')}>
      {sessions.length === 0 ? (
        <p className="p-5 text-sm text-muted">{t('sessions.none')}</p>
      ) : (
        <>
          <ul className="divide-y divide-border">
            {sessions.map((session) => (
              <PersonSession key={session.rowId} session={session} name={name} onChanged={onChanged} />
            ))}
          </ul>
          <div className="border-t border-border px-5 py-3.5">
            <ConfirmedButton
              title={t('sessions.endAllTitle', { name })}
              explanation={t(isOwn ? 'sessions.endAllOwn' : 'sessions.endAllBody')}
              action={t('sessions.endAll')}
              run={async () => {
                const { endSessionsOf: answer } = dataOf(await endSessionsOf({ userId }))
                notify({ tone: 'success', title: t('sessions.ended', { count: answer?.count ?? 0 }) })
                onChanged()
              }}
            >
              {t('sessions.endAll')}
            </ConfirmedButton>
          </div>
        </>
      )}
    </SettingsSection>
  )
}

interface PersonSessionProps {
  session: FragmentOf<typeof PersonSessionFragment>
  name: string
  onChanged: () => void
}

function PersonSession({ session, name, onChanged }: PersonSessionProps) {
  const { t } = useTranslation('people')
  const [, endSession] = useMutation(EndSessionOfPerson)
  const { rowId, ipAddress, userAgent, refreshedAt, isCurrent } = readFragment(PersonSessionFragment, session)
  const { kind, name: program, system } = deviceOf(userAgent)
  const Sign = SIGNS[kind]
  const device =
    program && system
      ? t('sessions.device', { program, system })
      : (program ?? system ?? t('sessions.unknownDevice'))
  return (
    <li className="flex items-center gap-3 px-5 py-3.5">
      <Sign className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="min-w-0 flex-1 text-sm">
        <p className="flex flex-wrap items-center gap-x-2 font-medium" title={userAgent ?? undefined}>
          {device}
          {isCurrent && <Pill tone="accent">{t('sessions.current')}</Pill>}
        </p>
        <p className="flex flex-wrap gap-x-2 text-muted">
          {ipAddress && (
            <span dir="ltr" className="figures break-all">
              {ipAddress}
            </span>
          )}
          <RelativeTime at={refreshedAt} />
        </p>
      </div>
      <ConfirmedButton
        size="small"
        label={t('sessions.endOf', { device })}
        title={t('sessions.endTitle', { device })}
        explanation={t(isCurrent ? 'sessions.endOwn' : 'sessions.endBody', { name })}
        action={t('sessions.end')}
        run={async () => {
          dataOf(await endSession({ sessionId: rowId }))
          notify({ tone: 'success', title: t('sessions.ended', { count: 1 }) })
          onChanged()
        }}
      >
        {t('sessions.end')}
      </ConfirmedButton>
    </li>
  )
}
