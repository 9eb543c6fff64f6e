import { useParams } from 'react-router'
import { NewProviderPage, ProviderPage } from '../../../features/single-sign-on/provider-page.tsx'
import { SingleSignOnPage } from '../../../features/single-sign-on/single-sign-on-page.tsx'
import { NotFoundPage } from '../not-found-page.tsx'
import { rowId } from '../row-id.ts'

export function ProvidersRoute() {
  return <SingleSignOnPage />
}

export function NewProviderRoute() {
  const { kind } = useParams()
  return kind === 'oidc' || kind === 'ldap' ? <NewProviderPage key={kind} kind={kind} /> : <NotFoundPage />
}

export function ProviderRoute() {
  const providerId = rowId(useParams()['providerId'])
  return providerId === null ? <NotFoundPage /> : <ProviderPage key={providerId} providerId={providerId} />
}
