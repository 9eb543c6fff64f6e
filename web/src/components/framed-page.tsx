import { useEffect, useRef } from 'react'

export interface FramedPageProps {
  /** What the page is, for whoever hears the screen. */
  title: string
  /** A whole document that loads nothing. */
  html: string
  className?: string
}

/**
 * A document of somebody else's making, in a frame where no script runs, nothing is fetched and no link leads anywhere.
 * Our own policy for styles reaches into the frame and forbids those written in markup; so they are set one by one.
 */
export function FramedPage({ title, html, className }: FramedPageProps) {
  const frame = useRef<HTMLIFrameElement>(null)
  const show = () => {
    if (frame.current) fill(frame.current, html)
  }
  useEffect(show)
  return <iframe ref={frame} title={title} sandbox="allow-same-origin" onLoad={show} className={className} />
}

const written = new WeakMap<Document, string>()

function fill(frame: HTMLIFrameElement, html: string) {
  const page = frame.contentDocument
  const view = frame.contentWindow as (Window & typeof globalThis) | null
  if (!page || !view || written.get(page) === html) return
  if (!written.has(page)) page.addEventListener('click', (event) => event.preventDefault())
  written.set(page, html)

  const rules: string[] = []
  const markup = html
    .replaceAll(/<style>([^]*?)<\/style>/g, (_element, rule: string) => {
      rules.push(rule)
      return ''
    })
    .replaceAll(' style="', ' data-style="')
  const parsed = new DOMParser().parseFromString(markup, 'text/html')
  page.documentElement.replaceWith(page.importNode(parsed.documentElement, true))
  for (const element of page.querySelectorAll<HTMLElement>('[data-style]')) {
    element.style.cssText = element.dataset['style'] ?? ''
    delete element.dataset['style']
  }
  const sheet = new view.CSSStyleSheet()
  sheet.replaceSync(rules.join('\n'))
  page.adoptedStyleSheets = [sheet]
  // As high as what it shows; what is longer scrolls.
  frame.style.height = `${String(Math.ceil(page.body.getBoundingClientRect().height))}px`
}
