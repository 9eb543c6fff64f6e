import { useNavigate, useSearchParams } from 'react-router'
import { SignInPage } from '../../features/identity/sign-in-page.tsx'
import { placeAfterSignIn, type Door } from '../guards.ts'

function SignInRoute({ door }: { door: Door }) {
  const navigate = useNavigate()
  const [parameters] = useSearchParams()
  return (
    <SignInPage
      door={door}
      onSignedIn={(user) =>
        void navigate(placeAfterSignIn(door, parameters.get('next'), user), { replace: true })
      }
    />
  )
}

export function PortalSignInRoute() {
  return <SignInRoute door="portal" />
}

export function DeskSignInRoute() {
  return <SignInRoute door="desk" />
}
