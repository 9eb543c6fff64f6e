import { postAuthorized } from '../../lib/authorized-post.ts'

/** Replaces the password or tokens of a mailbox. Nothing reads them back; throws a RestError. */
export async function writeMailboxSecret(mailboxId: string, secret: Record<string, string>): Promise<void> {
  await postAuthorized('/auth/mailbox-secret', { mailboxId, ...secret })
}
