import { postAuthorized } from '../../lib/authorized-post.ts'

/** A secret as it is shown, once. */
export interface MadeSecret {
  secret: string
  /** Until when calls are signed with the one before too; null where there was none. */
  previousUntil: string | null
}

/** Makes a new secret for a webhook; the one before is good for so many seconds more. Throws a RestError. */
export async function makeSecret(webhookId: string, keepPreviousSeconds?: number): Promise<MadeSecret> {
  const answer = await postAuthorized(
    `/webhooks/${webhookId}/secret`,
    keepPreviousSeconds === undefined ? {} : { keepPreviousSeconds },
  )
  return answer as MadeSecret
}
