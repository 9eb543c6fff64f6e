import type { OperationResult } from 'urql'

/** The data of an operation that succeeded; throws what it was refused for, as `useSubmission` wants it. */
export function dataOf<Data>({ data, error }: Pick<OperationResult<Data>, 'data' | 'error'>): Data {
  if (error) throw error
  if (data === undefined) throw new Error('An answer without data and without an error')
  return data
}
