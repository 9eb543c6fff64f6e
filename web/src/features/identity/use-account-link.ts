import { useCallback, useEffect, useState } from 'react'
import { problemOf, type Problem } from '../../graphql/errors.ts'
import { readAccountLink, type AccountLink, type AccountLinkPurpose } from './account-links.ts'

export type AccountLinkState =
  | { status: 'reading' }
  | { status: 'ready'; link: AccountLink }
  /** There is no link in the address, it is for something else, or it was used already. */
  | { status: 'useless' }
  | { status: 'failed'; problem: Problem }

/** Reads the link one came by. `purposes` must not change between renders. */
export function useAccountLink(token: string | null, purposes: readonly AccountLinkPurpose[]) {
  const [state, setState] = useState<AccountLinkState>({ status: 'reading' })
  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    if (token === null || token === '') {
      setState({ status: 'useless' })
      return
    }
    let isCurrent = true
    setState({ status: 'reading' })
    readAccountLink(token).then(
      (link) => {
        if (isCurrent) {
          setState(purposes.includes(link.purpose) ? { status: 'ready', link } : { status: 'useless' })
        }
      },
      (error: Error) => {
        if (!isCurrent) return
        const problem = problemOf(error)
        const isUseless = problem.code === 'TOKEN_INVALID' || problem.code === 'INVALID_INPUT'
        setState(isUseless ? { status: 'useless' } : { status: 'failed', problem })
      },
    )
    return () => {
      isCurrent = false
    }
  }, [token, purposes, attempt])

  return { state, retry: useCallback(() => setAttempt((count) => count + 1), []) }
}
