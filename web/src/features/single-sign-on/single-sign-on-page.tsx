import { BookUser, ChevronRight, Fingerprint, Plus } from 'lucide-react'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'

const ProvidersQuery = graphql(`
  query IdentityProviders {
    identityProviders(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        kind
        name
        isEnabled
        issuer
        url
      }
    }
  }
`)

const SIGNS = { oidc: Fingerprint, ldap: BookUser }

/** The identity providers of the organization. */
export function SingleSignOnPage() {
  const { t } = useTranslation(['single-sign-on', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: ProvidersQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const providers = data?.identityProviders.nodes.filter((node) => node !== null)
  return (
    <>
      <PageHeader
        title={t('title')}
        intro={t('intro')}
        actions={providers && providers.length > 0 && <AddProvider />}
      />
      <Card className="overflow-hidden">
        {providers ? (
          providers.length === 0 ? (
            <EmptyState title={t('empty.title')} action={<AddProvider />}>
              {t('empty.body')}
            </EmptyState>
          ) : (
            <ul aria-label={t('title')} className="divide-y divide-border">
              {providers.map((provider) => {
                const Sign = SIGNS[provider.kind]
                return (
                  <li
                    key={provider.id}
                    className="relative flex items-center gap-4 px-5 py-4 transition-colors focus-within:bg-selected hover:bg-hover"
                  >
                    <Sign className="size-5 shrink-0 text-faint" aria-hidden="true" />
                    <div className="min-w-0 flex-1">
                      <Link
                        to={provider.rowId}
                        className="block truncate text-sm font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
                      >
                        {provider.name}
                      </Link>
                      <p className="truncate text-sm text-muted">
                        {t(`kind.${provider.kind}`)} · {provider.issuer ?? provider.url}
                      </p>
                    </div>
                    <Pill tone={provider.isEnabled ? 'success' : 'neutral'}>
                      {t(provider.isEnabled ? 'isOn' : 'isOff')}
                    </Pill>
                    <ChevronRight
                      className="size-4 shrink-0 text-faint rtl:-scale-x-100"
                      aria-hidden="true"
                    />
                  </li>
                )
              })}
            </ul>
          )
        ) : error ? (
          <ErrorState title={t('error')} onRetry={rereadSoon}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : (
          <div role="status" aria-label={t('loadingList')} className="flex flex-col gap-4 p-5">
            <Skeleton className="h-10" />
            <Skeleton className="h-10" />
          </div>
        )}
      </Card>
    </>
  )
}

function AddProvider() {
  const { t } = useTranslation('single-sign-on')
  const navigate = useNavigate()
  return (
    <MenuTrigger>
      <Button variant="primary">
        <Plus className="size-4" aria-hidden="true" />
        {t('add')}
      </Button>
      <Menu>
        <MenuItem
          mark={<Fingerprint className="size-4 text-muted" aria-hidden="true" />}
          onAction={() => void navigate('new/oidc')}
        >
          {t('kind.oidc')}
        </MenuItem>
        <MenuItem
          mark={<BookUser className="size-4 text-muted" aria-hidden="true" />}
          onAction={() => void navigate('new/ldap')}
        >
          {t('kind.ldap')}
        </MenuItem>
      </Menu>
    </MenuTrigger>
  )
}
