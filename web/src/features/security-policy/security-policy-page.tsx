import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Card } from '../../components/card.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { LocalLogin, LocalLoginFragment } from './local-login.tsx'
import { RegistrationDomains, RegistrationDomainsFragment } from './registration-domains.tsx'
import { TwoFactorRoles, TwoFactorRolesFragment } from './two-factor-roles.tsx'

const SecurityPolicyQuery = graphql(
  `
    query SecurityPolicy {
      currentSecurityPolicy {
        id
        ...TwoFactorRoles
        ...RegistrationDomains
        ...LocalLogin
      }
      identityProviders(first: 100) {
        nodes {
          id
          isEnabled
        }
      }
    }
  `,
  [TwoFactorRolesFragment, RegistrationDomainsFragment, LocalLoginFragment],
)

/** How people of the organization get in. */
export function SecurityPolicyPage() {
  const { t } = useTranslation(['security-policy', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: SecurityPolicyQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const policy = data?.currentSecurityPolicy
  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} />
      {policy ? (
        <>
          <TwoFactorRoles policy={policy} />
          <RegistrationDomains policy={policy} />
          <LocalLogin
            policy={policy}
            hasProvider={data.identityProviders.nodes.some((provider) => provider?.isEnabled)}
          />
        </>
      ) : error ? (
        <Card>
          <ErrorState title={t('error')} onRetry={rereadSoon}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        </Card>
      ) : (
        <div role="status" aria-label={t('loading')} className="flex flex-col gap-8">
          <Skeleton className="h-52 rounded-xl" />
          <Skeleton className="h-40 rounded-xl" />
          <Skeleton className="h-32 rounded-xl" />
        </div>
      )}
    </>
  )
}
