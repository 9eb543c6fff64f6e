import { useNavigate } from 'react-router'
import type { Door } from '../lib/doors.ts'
import type { Admission } from '../lib/sign-in.ts'
import { placeAfterSignIn } from './guards.ts'
import { holdChallenge } from './pending-challenge.ts'

/** Goes on with whoever was admitted: to where they wanted to be, or to the second step first. */
export function useAdmission(): (admission: Admission, door: Door | null, next: string | null) => void {
  const navigate = useNavigate()
  return (admission, door, next) => {
    if ('challenge' in admission) {
      holdChallenge({ ...admission.challenge, door, next })
      void navigate('/two-factor')
    } else {
      void navigate(placeAfterSignIn(door, next, admission.user), { replace: true })
    }
  }
}
