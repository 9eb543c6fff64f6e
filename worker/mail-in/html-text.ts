import { htmlToText } from 'html-to-text'

/** The words of HTML, for a mail that has no text of its own. What it quotes is marked as quoted text is. */
export function htmlAsText(html: string): string {
  return htmlToText(html, {
    wordwrap: false,
    limits: { maxDepth: 500, ellipsis: '' },
    formatters: {
      // Tables are what mails are laid out with: each row is a line, whatever is in it.
      cell: (element, walk, builder) => {
        walk(element.children, builder)
        builder.addInline('  ')
      },
    },
    selectors: [
      {
        selector: 'a',
        options: { hideLinkHrefIfSameAsText: true, ignoreHref: false, linkBrackets: ['<', '>'] },
      },
      { selector: 'a[href^="mailto:"]', format: 'anchor', options: { ignoreHref: true } },
      { selector: 'a[href^="#"]', format: 'anchor', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      { selector: 'title', format: 'skip' },
      { selector: 'p', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
        selector,
        options: { uppercase: false },
      })),
      { selector: 'table', format: 'block' },
      { selector: 'tr', format: 'block' },
      { selector: 'td', format: 'cell' },
      { selector: 'th', format: 'cell' },
    ],
  })
}
