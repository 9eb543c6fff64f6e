import { KeyRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'

export const PersonApiTokenFragment = graphql(`
  fragment PersonApiToken on ApiToken {
    id
    rowId
    name
    hint
    scopes
    expiresAt
    lastUsedAt
    lastUsedIp
  }
`)

const RevokeApiTokenOfPerson = graphql(`
  mutation RevokeApiTokenOfPerson($tokenId: UUID!) {
    revokeApiToken(input: { tokenId: $tokenId }) {
      revoked
    }
  }
`)

export interface PersonApiTokensProps {
  name: string
  tokens: readonly ((FragmentOf<typeof PersonApiTokenFragment> & { id: string }) | null)[]
  onChanged: () => void
}

/** The programs that act in somebody's name. Their person makes them; an admin can end them. */
export function PersonApiTokens({ name, tokens, onChanged }: PersonApiTokensProps) {
  const { t } = useTranslation('people')
  return (
    <SettingsSection title={t('tokens.title')} intro={t('tokens.intro')}>
      {tokens.length === 0 ? (
        <p className="p-5 text-sm text-muted">{t('tokens.none')}</p>
      ) : (
        <ul className="divide-y divide-border">
          {tokens.map(
            (token) =>
              token && <PersonApiToken key={token.id} token={token} owner={name} onChanged={onChanged} />,
          )}
        </ul>
      )}
    </SettingsSection>
  )
}

interface PersonApiTokenProps {
  token: FragmentOf<typeof PersonApiTokenFragment>
  owner: string
  onChanged: () => void
}

function PersonApiToken({ token, owner, onChanged }: PersonApiTokenProps) {
  const { t } = useTranslation('people')
  const now = useNow('minute')
  const [, revokeApiToken] = useMutation(RevokeApiTokenOfPerson)
  const { rowId, name, hint, scopes, expiresAt, lastUsedAt, lastUsedIp } = readFragment(
    PersonApiTokenFragment,
    token,
  )
  const isOver = expiresAt !== null && Date.parse(expiresAt) <= now
  return (
    <li className="flex items-center gap-3 px-5 py-3.5">
      <KeyRound className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="min-w-0 flex-1 text-sm">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-medium [overflow-wrap:anywhere]">{name}</span>
          <code dir="ltr" className="font-mono text-xs text-muted">
            atum_…{hint}
          </code>
          {isOver && <Pill tone="neutral">{t('tokens.over')}</Pill>}
        </p>
        <p dir="ltr" className="font-mono text-xs text-muted">
          {scopes.join(' ')}
        </p>
        <p className="flex flex-wrap gap-x-2 text-muted">
          {lastUsedAt ? (
            <>
              {t('tokens.used')} <RelativeTime at={lastUsedAt} />
              {lastUsedIp && (
                <span dir="ltr" className="figures break-all">
                  {lastUsedIp}
                </span>
              )}
            </>
          ) : (
            t('tokens.neverUsed')
          )}
        </p>
      </div>
      <ConfirmedButton
        size="small"
        label={t('tokens.revokeOf', { name })}
        title={t('tokens.revokeTitle', { name })}
        explanation={t('tokens.revokeBody', { owner })}
        action={t('tokens.revoke')}
        run={async () => {
          dataOf(await revokeApiToken({ tokenId: rowId }))
          notify({ tone: 'success', title: t('tokens.revoked', { name }) })
          onChanged()
        }}
      >
        {t('tokens.revoke')}
      </ConfirmedButton>
    </li>
  )
}
