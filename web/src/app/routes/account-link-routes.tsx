import { useNavigate } from 'react-router'
import { InvitationPage } from '../../features/identity/invitation-page.tsx'
import { ResetPage, type Credentials } from '../../features/identity/reset-page.tsx'
import { signInPath } from '../../lib/doors.ts'
import { useFragment } from '../../lib/fragment.ts'
import { signIn } from '../../lib/sign-in.ts'
import { useAdmission } from '../admission.ts'
import type { SignInState } from './sign-in-route.tsx'

export function ResetRoute() {
  return <ResetPage token={useToken()} onSet={useSignInWith()} />
}

export function InvitationRoute() {
  return <InvitationPage token={useToken()} onSet={useSignInWith()} />
}

function useToken(): string | null {
  return useFragment().get('token')
}

/** Signs in with what was just set; where that is not enough, the sign-in page says why and asks. */
function useSignInWith() {
  const navigate = useNavigate()
  const admit = useAdmission()
  return async ({ email, password, organization }: Credentials) => {
    try {
      admit(await signIn(email, password, organization), null, null)
    } catch {
      const state: SignInState = { isPasswordSet: true, email }
      await navigate(signInPath('portal', organization), { state, replace: true })
    }
  }
}
