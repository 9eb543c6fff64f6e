import { useLoaderData, useNavigate, useParams, useRevalidator, useSearchParams } from 'react-router'
import { FindOrganizationPage } from '../../features/identity/find-organization-page.tsx'
import { ForgotPage } from '../../features/identity/forgot-page.tsx'
import { RegisterPage } from '../../features/identity/register-page.tsx'
import { signInPath, type Door } from '../../lib/doors.ts'
import type { Entrance } from '../entrance-loaders.ts'

export function PortalForgotRoute() {
  return <ForgotRoute door="portal" />
}

export function DeskForgotRoute() {
  return <ForgotRoute door="desk" />
}

function ForgotRoute({ door }: { door: Door }) {
  return <ForgotPage door={door} slug={useParams()['slug'] ?? null} />
}

export function RegisterRoute() {
  const { slug, methods } = useLoaderData<Entrance>()
  const { revalidate } = useRevalidator()
  return <RegisterPage slug={slug ?? ''} methods={methods} onRetryMethods={() => void revalidate()} />
}

export function FindOrganizationRoute() {
  const [parameters] = useSearchParams()
  const navigate = useNavigate()
  const door = parameters.get('door') === 'desk' ? 'desk' : 'portal'
  return <FindOrganizationPage door={door} onFound={(slug) => void navigate(signInPath(door, slug))} />
}
