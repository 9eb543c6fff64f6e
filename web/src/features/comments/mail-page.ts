import { previewLink } from '../../lib/file-links.ts'

/**
 * The head of the page a mail is shown in. It may fetch nothing at all; links open elsewhere. What our own pages are
 * forbidden holds for it besides.
 */
export const MAIL_PAGE =
  '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:">' +
  '<base target="_blank"><meta name="referrer" content="no-referrer">'

const PAGE_STYLE =
  'margin: 0; padding: 16px; background: white; color: black; color-scheme: light; font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere'

const MOST_BYTES = 8 * 1024 * 1024
const PIECE = 0x8000

/** Markup may not style itself here; what a mail wants to look like is done to it piece by piece. */
export function styleByHand(page: Document): void {
  page.body.style.cssText = PAGE_STYLE
  for (const element of page.querySelectorAll<HTMLElement>('[data-style]')) {
    element.style.cssText = element.dataset['style'] ?? ''
  }
  for (const image of page.querySelectorAll<HTMLElement>('img')) image.style.maxWidth = '100%'
}

/** A picture that came with a mail, as the page may show it; undefined where it cannot be had. */
export async function imageAsData(attachmentId: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(await previewLink(attachmentId), { signal })
    if (!response.ok) return undefined
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (bytes.length > MOST_BYTES) return undefined
    let text = ''
    // In pieces: a call takes only so many arguments.
    for (let at = 0; at < bytes.length; at += PIECE)
      text += String.fromCharCode(...bytes.subarray(at, at + PIECE))
    return `data:${response.headers.get('content-type') ?? 'image/png'};base64,${btoa(text)}`
  } catch {
    return undefined
  }
}
