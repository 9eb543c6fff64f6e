import { postJson, RestError } from './rest.ts'
import { accessToken, replaceToken } from './session.ts'

/** Posts as the signed-in person; when the server says the token is no longer good, tries once more with a fresh one. */
export async function postAuthorized(path: string, body: unknown): Promise<unknown> {
  const token = await accessToken()
  try {
    return await postJson(path, body, token)
  } catch (error) {
    // A wrong password or code is a 401 too; only this code is about the token.
    if (!(error instanceof RestError) || error.code !== 'UNAUTHENTICATED') throw error
    const replacement = await replaceToken(token)
    if (!replacement) throw error
    return postJson(path, body, replacement)
  }
}
