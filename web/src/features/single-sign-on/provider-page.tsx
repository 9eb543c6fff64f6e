import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useMutation, useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { blankProvider, draftOf, type ProviderKind } from './provider-draft.ts'
import { ProviderForm, ProviderFormFragment, readProvider } from './provider-form.tsx'

const LIST = '/desk/admin/single-sign-on'

const ProviderQuery = graphql(
  `
    query IdentityProvider($providerId: UUID!) {
      identityProviders(first: 1, filter: { rowId: { equalTo: $providerId } }) {
        nodes {
          id
          rowId
          name
          kind
          isEnabled
          hasSecret
          ...ProviderForm
        }
      }
    }
  `,
  [ProviderFormFragment],
)

const DeleteIdentityProvider = graphql(`
  mutation DeleteIdentityProvider($providerId: UUID!) {
    deleteIdentityProvider(input: { providerId: $providerId }) {
      deleted
    }
  }
`)

/** A provider that is not there yet. */
export function NewProviderPage({ kind }: { kind: ProviderKind }) {
  const { t } = useTranslation('single-sign-on')
  const navigate = useNavigate()
  return (
    <>
      <PageHeader
        title={t(`new.${kind}`)}
        intro={t(`about.${kind}`)}
        back={{ to: LIST, label: t('title') }}
      />
      <ProviderForm
        providerId={null}
        hasSecret={false}
        saved={blankProvider(kind)}
        onSaved={(providerId) => void navigate(`${LIST}/${providerId}`, { replace: true })}
      />
    </>
  )
}

/** A provider and all its settings. */
export function ProviderPage({ providerId }: { providerId: string }) {
  const { t } = useTranslation(['single-sign-on', 'errors'])
  const [{ data, error, fetching }, reread] = useQuery({ query: ProviderQuery, variables: { providerId } })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const provider = data?.identityProviders.nodes[0]

  if (!provider) {
    if (error) {
      return (
        <ErrorState isPage title={t('error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )
    }
    if (fetching || data === undefined) {
      return (
        <div role="status" aria-label={t('loading')} className="flex flex-col gap-8">
          <Skeleton className="h-8 w-64 max-w-full" />
          <Skeleton className="h-72 rounded-xl" />
          <Skeleton className="h-52 rounded-xl" />
        </div>
      )
    }
    return (
      <EmptyState isPage title={t('notFoundTitle')} action={<ButtonLink to={LIST}>{t('title')}</ButtonLink>}>
        {t('notFound')}
      </EmptyState>
    )
  }

  return (
    <>
      <PageHeader
        title={provider.name}
        intro={t(`about.${provider.kind}`)}
        back={{ to: LIST, label: t('title') }}
        actions={
          <Pill tone={provider.isEnabled ? 'success' : 'neutral'}>
            {t(provider.isEnabled ? 'isOn' : 'isOff')}
          </Pill>
        }
      />
      <ProviderForm
        providerId={provider.rowId}
        hasSecret={provider.hasSecret}
        saved={draftOf(readProvider(provider))}
        onSaved={rereadSoon}
      />
      <Removal providerId={provider.rowId} name={provider.name} />
    </>
  )
}

function Removal({ providerId, name }: { providerId: string; name: string }) {
  const { t } = useTranslation('single-sign-on')
  const navigate = useNavigate()
  const [, deleteProvider] = useMutation(DeleteIdentityProvider)
  return (
    <SettingsSection title={t('removal.title')} intro={t('removal.intro')}>
      <div className="flex flex-wrap items-center justify-between gap-4 p-5">
        <p className="max-w-[48ch] text-sm text-muted">{t('removal.body')}</p>
        <ConfirmedButton
          variant="danger"
          title={t('removal.ask', { name })}
          explanation={t('removal.askBody')}
          action={t('removal.act')}
          run={async () => {
            dataOf(await deleteProvider({ providerId }))
            notify({ tone: 'success', title: t('removal.done', { name }) })
            await navigate(LIST)
          }}
        >
          {t('removal.act')}
        </ConfirmedButton>
      </div>
    </SettingsSection>
  )
}
