import { postAuthorized } from './authorized-post.ts'
import { subscribeToSession } from './session.ts'

interface FileLink {
  url: string
  expiresAt: number
}

/** One that ends sooner than this is not begun with. */
const USABLE_MS = 10_000

const previews = new Map<string, Promise<FileLink>>()

// Links are made for one person.
subscribeToSession(() => previews.clear())

async function ask(attachmentId: string, isPreview: boolean): Promise<FileLink> {
  const answer = (await postAuthorized(
    `/attachments/${attachmentId}/link${isPreview ? '?use=preview' : ''}`,
    {},
  )) as { url: string; expiresAt: string }
  return { url: answer.url, expiresAt: Date.parse(answer.expiresAt) }
}

/** A short-lived address by which the browser downloads a file. */
export async function downloadLink(attachmentId: string): Promise<string> {
  return (await ask(attachmentId, false)).url
}

/** A short-lived address by which a page shows a file; the same one for as long as it is good. */
export async function previewLink(attachmentId: string): Promise<string> {
  const known = await previews.get(attachmentId)?.catch(() => undefined)
  if (known && known.expiresAt - Date.now() > USABLE_MS) return known.url
  const asked = ask(attachmentId, true)
  previews.set(attachmentId, asked)
  return (await asked).url
}
