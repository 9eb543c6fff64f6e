declare module 'html-to-text' {
  interface Element {
    children: Element[]
  }
  interface Builder {
    addInline: (text: string) => void
    openBlock: (options: { leadingLineBreaks: number }) => void
    closeBlock: (options: { trailingLineBreaks: number }) => void
  }
  type Formatter = (
    element: Element,
    walk: (children: Element[], builder: Builder) => void,
    builder: Builder,
  ) => void
  interface Options {
    wordwrap?: number | false
    limits?: { maxDepth?: number; ellipsis?: string; maxInputLength?: number }
    formatters?: Record<string, Formatter>
    selectors?: { selector: string; format?: string; options?: Record<string, unknown> }[]
  }
  export function htmlToText(html: string, options?: Options): string
}
