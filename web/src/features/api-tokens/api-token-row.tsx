import { useTranslation } from 'react-i18next'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { knownScope, SCOPE_WORDS } from './scopes.ts'

export const ApiTokenRowFragment = graphql(`
  fragment ApiTokenRow on ApiToken {
    id
    name
    hint
    scopes
    createdAt
    expiresAt
    lastUsedAt
    lastUsedIp
  }
`)

export interface ApiTokenRowProps {
  token: FragmentOf<typeof ApiTokenRowFragment>
  onRevoke: () => Promise<void>
}

/** One token: what it may do, when it was used and when it ends. Never the token itself. */
export function ApiTokenRow({ token, onRevoke }: ApiTokenRowProps) {
  const { t, i18n } = useTranslation('api-tokens')
  const now = useNow('minute')
  const { name, hint, scopes, createdAt, expiresAt, lastUsedAt, lastUsedIp } = readFragment(
    ApiTokenRowFragment,
    token,
  )
  const day = (at: string) =>
    new Intl.DateTimeFormat(readerLocale(i18n.language), { dateStyle: 'medium' }).format(new Date(at))
  const isOver = expiresAt !== null && new Date(expiresAt).getTime() <= now
  return (
    <li className="flex items-start gap-4 border-b border-border px-5 py-4 last:border-b-0">
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <p className="flex flex-wrap items-baseline gap-x-2.5">
          <span className="font-medium [overflow-wrap:anywhere]">{name}</span>
          <code dir="ltr" className="font-mono text-sm text-muted">
            atum_…{hint}
          </code>
        </p>
        <p className="flex flex-wrap gap-1.5">
          {isOver && <Pill tone="danger">{t('over')}</Pill>}
          {scopes.map((scope) => {
            const known = knownScope(scope)
            return (
              <Pill key={scope} tone="neutral">
                {known ? t(`scopes.${SCOPE_WORDS[known]}.title`) : (scope ?? '')}
              </Pill>
            )
          })}
        </p>
        <p className="flex flex-wrap gap-x-3 text-sm text-muted">
          <span>
            {lastUsedAt ? (
              <>
                {t('used')} <RelativeTime at={lastUsedAt} />{' '}
                {lastUsedIp && (
                  <span dir="ltr" className="figures break-all">
                    {t('from', { address: lastUsedIp })}
                  </span>
                )}
              </>
            ) : (
              t('unused')
            )}
          </span>
          <span>{t('made', { day: day(createdAt) })}</span>
          <span>
            {expiresAt === null ? t('endsNever') : t(isOver ? 'ended' : 'ends', { day: day(expiresAt) })}
          </span>
        </p>
      </div>
      <ConfirmedButton
        size="small"
        label={t('revokeOne', { name })}
        title={t('confirm.title', { name })}
        explanation={t('confirm.body')}
        action={t('confirm.action')}
        run={onRevoke}
      >
        {t('revoke')}
      </ConfirmedButton>
    </li>
  )
}
