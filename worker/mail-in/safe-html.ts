import sanitizeHtml from 'sanitize-html'

const length = /^-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|ex|%|cm|mm|in)?$/
const lengths =
  /^(-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|ex|%|cm|mm|in)?|auto)(\s+(-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|ex|%|cm|mm|in)?|auto)){0,3}$/
const color =
  /^(#[0-9a-f]{3,8}|[a-z]{3,24}|rgba?\(\s*\d{1,3}%?\s*,\s*\d{1,3}%?\s*,\s*\d{1,3}%?\s*(,\s*[\d.]{1,5}\s*)?\))$/i
const border =
  /^(\d{1,2}(\.\d{1,2})?(px|pt|em)?\s*)?(none|solid|dashed|dotted|double|windowtext|\s|#[0-9a-f]{3,8}|[a-z]{3,20}|\d{1,2}(\.\d{1,2})?(px|pt|em)?){0,6}$/i

/** What looks and does not act: no place on the screen of its own, and nothing that is fetched. */
const styles = Object.fromEntries([
  ...['color', 'background-color'].map((property) => [property, [color]]),
  ...['margin', 'padding'].map((property) => [property, [lengths]]),
  ...['top', 'right', 'bottom', 'left'].flatMap((side) => [
    [`margin-${side}`, [length]],
    [`padding-${side}`, [length]],
    [`border-${side}`, [border]],
  ]),
  ...['font-size', 'line-height', 'text-indent', 'width', 'height', 'max-width'].map((property) => [
    property,
    [length],
  ]),
  ['border', [border]],
  ['border-collapse', [/^(collapse|separate)$/]],
  ['font-weight', [/^(bold|bolder|lighter|normal|[1-9]00)$/]],
  ['font-style', [/^(italic|normal|oblique)$/]],
  ['font-family', [/^[\w\s,'"-]{1,200}$/]],
  ['text-align', [/^(left|right|center|justify|start|end)$/]],
  ['text-decoration', [/^(none|underline|line-through)$/]],
  ['text-transform', [/^(none|uppercase|lowercase|capitalize)$/]],
  ['vertical-align', [/^(top|middle|bottom|baseline|sub|super)$/]],
  ['white-space', [/^(normal|nowrap|pre|pre-wrap|pre-line)$/]],
  ['list-style-type', [/^[a-z-]{1,30}$/]],
  ['display', [/^(block|inline|inline-block|table|table-row|table-cell|list-item)$/]],
]) as Record<string, RegExp[]>

const tags =
  'a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr'.split(
    ' ',
  )

/**
 * What a mail looks like, without anything that acts or is fetched. It is shown in a sandbox without network besides:
 * neither alone is trusted. An image that came with the mail has `data-cid` and no source; where one would have been
 * fetched, `data-remote` says so. Styles are in `data-style`: our pages let no markup style itself, and apply them by hand.
 */
export function safeHtml(html: string): string {
  const safe = sanitizeHtml(html, {
    allowedTags: tags,
    disallowedTagsMode: 'discard',
    nonTextTags: [
      'script',
      'style',
      'textarea',
      'option',
      'noscript',
      'title',
      'xml',
      'head',
      'iframe',
      'noembed',
      'noframes',
      'svg',
      'math',
    ],
    allowedAttributes: {
      '*': ['style', 'dir', 'lang', 'align', 'title'],
      a: ['href', 'rel'],
      font: ['color', 'size', 'face'],
      img: ['alt', 'width', 'height', 'data-cid', 'data-remote'],
      table: ['border', 'cellpadding', 'cellspacing', 'width', 'bgcolor'],
      td: ['colspan', 'rowspan', 'width', 'height', 'valign', 'bgcolor'],
      th: ['colspan', 'rowspan', 'width', 'height', 'valign', 'bgcolor'],
      tr: ['valign', 'bgcolor'],
      col: ['span', 'width'],
      ol: ['start', 'type'],
      time: ['datetime'],
    },
    allowedStyles: { '*': styles },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowProtocolRelative: false,
    nestingLimit: 200,
    transformTags: {
      a: (tagName, { href = '', style = '', title = '' }) => ({
        tagName,
        attribs: {
          ...(href && { href }),
          ...(style && { style }),
          ...(title && { title }),
          rel: 'noopener noreferrer nofollow',
        },
      }),
      img: (tagName, { src = '', alt = '', width = '', height = '', style = '' }) => ({
        tagName,
        attribs: {
          alt,
          ...(width && { width }),
          ...(height && { height }),
          ...(style && { style }),
          ...(/^cid:/i.test(src) ? { 'data-cid': contentIdOf(src) } : { 'data-remote': '' }),
        },
      }),
    },
  })
  // Whatever is no markup has no such sign in it any more.
  return safe.replaceAll(/<[a-z][^>]*>/g, (tag) => tag.replace(' style="', ' data-style="')).trim()
}

function contentIdOf(source: string): string {
  const id = source.slice('cid:'.length)
  try {
    return decodeURIComponent(id).slice(0, 255)
  } catch {
    return id.slice(0, 255)
  }
}
