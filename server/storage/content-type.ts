import { fileTypeFromBuffer } from 'file-type'

/** What is unknown and not text. */
const unknown = 'application/octet-stream'

// What a browser would take for a page (WHATWG MIME Sniffing, section 7.1), and what makes a page of XML.
const html =
  /^\s*(<!--[^]*?-->\s*)*<(!doctype html|html|head|body|script|iframe|h1|div|font|table|a|style|title|b|br|p|img|meta|link|object|embed|form|base)[\s/>]/i
const xml = /^\s*<(\?xml|!doctype|!--)/i
const svg = /<(\w+:)?svg[\s/>]/i
const xhtml = /<(\w+:)?html[\s/>]/i

/**
 * The type of a content, told by its first bytes and never by its name. What a browser could run is named as what it is,
 * whatever it pretends to be: SVG and HTML have no bytes of their own to be known by.
 */
export async function contentTypeOf(head: Buffer): Promise<string> {
  // What tells UTF-16 also begins some audio, which is no text.
  const marked = isUtf16(head) && textOf(head) !== undefined
  const known = marked ? undefined : await knownType(head)
  if (known !== undefined && !/xml$/.test(known)) return known
  const text = textOf(head)
  if (text === undefined) return known ?? unknown
  const plain = text.replace(/^\uFEFF/, '')
  if (known !== undefined || xml.test(plain)) {
    if (svg.test(plain)) return 'image/svg+xml'
    if (xhtml.test(plain)) return /^\s*<\?xml/i.test(plain) ? 'application/xhtml+xml' : 'text/html'
  }
  if (/^\s*(<!--[^]*?-->\s*)*<(\w+:)?svg[\s/>]/i.test(plain)) return 'image/svg+xml'
  if (html.test(plain)) return 'text/html'
  return known ?? 'text/plain'
}

async function knownType(head: Buffer): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(head))?.mime
  } catch {
    // It began like something and went on like nothing.
    return undefined
  }
}

const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)

/** The bytes as text; undefined when they are none. */
function textOf(head: Buffer): string | undefined {
  const encoding = !isUtf16(head) ? 'utf-8' : head[0] === 0xff ? 'utf-16le' : 'utf-16be'
  try {
    // What is cut off in the middle of a character is no fault of it.
    const text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(head, { stream: true })
    // What no text has in it.
    return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
