import { postJson } from '../../lib/rest.ts'

export type AccountLinkPurpose = 'invitation' | 'email_verification' | 'password_reset'

/** Whom a link from a mail is about. */
export interface AccountLink {
  purpose: AccountLinkPurpose
  email: string
  name: string
  organization: { slug: string; name: string }
}

/** Reads a link without using it up. Throws a RestError: TOKEN_INVALID when it is used, too old or made up. */
export async function readAccountLink(token: string): Promise<AccountLink> {
  return (await postJson('/auth/account-token', { token })) as AccountLink
}

/** Sets a new password by the link from a mail. Ends every session of the person. */
export async function resetPassword(token: string, password: string): Promise<void> {
  await postJson('/auth/reset', { token, password })
}

/** Takes up an invitation, or what one registered oneself: the account gets its password and, where one was typed, another name. */
export async function acceptInvitation(token: string, name: string, password: string): Promise<void> {
  await postJson('/auth/invitation', { token, name, password })
}

/** Asks for a mail with a link to set a new password. The answer is the same whether the address is known or not. */
export async function requestReset(email: string, organization: string | null): Promise<void> {
  await postJson('/auth/forgot', { email, ...(organization ? { organization } : {}) })
}

/**
 * Asks for a customer's account where the organization is open to the address. The answer is the same for an address it
 * knows; the mail has a link, behind which the password is chosen.
 */
export async function register(organization: string, person: { email: string; name: string }): Promise<void> {
  await postJson('/auth/register', { organization, ...person })
}

/** Asks for the mail that confirms an address once more. The answer is the same whether one is due or not. */
export async function requestVerification(email: string, organization: string | null): Promise<void> {
  await postJson('/auth/verification', { email, ...(organization ? { organization } : {}) })
}
