import { postAuthorized } from '../../lib/authorized-post.ts'

/** Replaces the client secret or bind password of a provider. Nothing reads it back; throws a RestError. */
export async function writeProviderSecret(providerId: string, secret: string): Promise<void> {
  await postAuthorized('/auth/identity-provider-secret', { providerId, secret })
}
