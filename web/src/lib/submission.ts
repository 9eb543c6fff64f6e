import { useState } from 'react'
import { problemOf, type Problem } from '../graphql/errors.ts'
import { useIsWaiting } from './waiting.ts'

/** Sends what a form asks for, one at a time, and keeps what it was refused for. */
export function useSubmission() {
  const [isSending, setIsSending] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const isWaiting = useIsWaiting(problem?.retryAt)

  async function send(
    task: () => Promise<void>,
    onRefused?: (problem: Problem, error: Error) => void,
  ): Promise<void> {
    if (isSending || isWaiting) return
    setIsSending(true)
    setProblem(null)
    try {
      await task()
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      const reason = problemOf(error)
      setProblem(reason)
      onRefused?.(reason, error)
    } finally {
      setIsSending(false)
    }
  }

  return { send, isSending, problem, isWaiting, clear: () => setProblem(null) }
}
