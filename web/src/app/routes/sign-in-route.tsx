import { useLoaderData, useLocation, useRevalidator, useSearchParams } from 'react-router'
import { SignInPage } from '../../features/identity/sign-in-page.tsx'
import { useAdmission } from '../admission.ts'
import type { Entrance } from '../entrance-loaders.ts'

/** What another page hands over to the sign-in page. */
export interface SignInState {
  isPasswordSet: boolean
  email: string
}

/** The sign-in page of either door, the common one or an organization's own. */
export function Component() {
  const { door, slug, methods } = useLoaderData<Entrance>()
  const [parameters] = useSearchParams()
  const state = useLocation().state as Partial<SignInState> | null
  const { revalidate } = useRevalidator()
  const admit = useAdmission()
  const next = parameters.get('next')
  return (
    <SignInPage
      // What was typed at one door is not for the other.
      key={`${door} ${slug}`}
      door={door}
      slug={slug}
      methods={methods}
      onRetryMethods={() => void revalidate()}
      problem={parameters.get('problem')}
      isPasswordSet={state?.isPasswordSet === true}
      email={state?.email}
      next={next ?? `/${door}`}
      onAdmitted={(admission) => admit(admission, door, next)}
    />
  )
}
