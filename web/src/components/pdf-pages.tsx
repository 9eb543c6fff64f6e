import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react'
import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist'
import { useTranslation } from 'react-i18next'

/** The reader, its worker and nothing from anywhere else; loaded with the first PDF that is looked at. */
async function openDocument(address: string): Promise<PDFDocumentProxy> {
  const [{ getDocument, GlobalWorkerOptions }, { default: worker }] = await Promise.all([
    import('pdfjs-dist'),
    import('pdfjs-dist/build/pdf.worker.min.mjs?url'),
  ])
  GlobalWorkerOptions.workerSrc = worker
  return getDocument({
    url: address,
    // See pdf-reader-files.ts.
    cMapUrl: '/pdf/cmaps/',
    standardFontDataUrl: '/pdf/standard_fonts/',
    wasmUrl: '/pdf/wasm/',
    useWasm: false,
    enableXfa: false,
  }).promise
}

export interface PdfPagesProps {
  address: string
  name: string
  waiting: ReactNode
  onBroken: () => void
}

/**
 * The pages of a PDF, drawn here: a browser opens its own reader neither in a sandbox nor beside this page's policy,
 * and on phones not at all. Nothing in it can run.
 */
export function PdfPages({ address, name, waiting, onBroken }: PdfPagesProps) {
  const { t } = useTranslation('components')
  const [document, setDocument] = useState<PDFDocumentProxy | null>(null)
  const broken = useEffectEvent(onBroken)
  useEffect(() => {
    let isOver = false
    const opening = openDocument(address)
    opening.then(
      (opened) => !isOver && setDocument(opened),
      () => !isOver && broken(),
    )
    return () => {
      isOver = true
      void opening.then((opened) => opened.loadingTask.destroy()).catch(() => {})
    }
  }, [address])
  if (!document) return waiting
  return (
    <div
      // It scrolls, so the keyboard must reach it.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="group"
      aria-label={name}
      className="flex min-h-0 flex-1 flex-col items-center gap-4 overflow-auto p-4 outline-none focus-visible:outline-2 focus-visible:-outline-offset-2 focus-visible:outline-focus"
    >
      {Array.from({ length: document.numPages }, (_, index) => (
        <PdfPage
          key={index}
          document={document}
          number={index + 1}
          label={t('files.page', { index: index + 1, count: document.numPages })}
        />
      ))}
    </div>
  )
}

interface PdfPageProps {
  document: PDFDocumentProxy
  number: number
  label: string
}

/** As wide as the window allows and no wider than paper is read. */
const WIDEST_PX = 960

/** One page, drawn when it comes near and forgotten when it is far. */
function PdfPage({ document, number, label }: PdfPageProps) {
  const frame = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [isNear, setIsNear] = useState(false)
  // A4 until it is known.
  const [ratio, setRatio] = useState(1.414)
  const [text, setText] = useState('')

  useEffect(() => {
    const element = frame.current
    if (!element) return
    const observer = new IntersectionObserver(([entry]) => setIsNear(entry?.isIntersecting === true), {
      root: element.parentElement,
      rootMargin: '600px',
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useEffect(() => {
    const surface = canvas.current
    if (!isNear || !surface || !frame.current) return
    const width = frame.current.clientWidth
    let isOver = false
    let page: PDFPageProxy | null = null
    let stop = () => {}
    void document.getPage(number).then(async (found) => {
      page = found
      if (isOver) return
      const plain = found.getViewport({ scale: 1 })
      setRatio(plain.height / plain.width)
      const viewport = found.getViewport({ scale: (width / plain.width) * Math.min(devicePixelRatio, 2) })
      surface.width = Math.floor(viewport.width)
      surface.height = Math.floor(viewport.height)
      const drawing = found.render({ canvas: surface, viewport })
      stop = () => drawing.cancel()
      await drawing.promise.catch(() => {})
      const content = await found.getTextContent()
      if (isOver) return
      setText(content.items.map((item) => ('str' in item ? item.str : '')).join(' '))
    })
    return () => {
      isOver = true
      stop()
      page?.cleanup()
      surface.width = 0
      surface.height = 0
    }
  }, [document, number, isNear])

  return (
    <div
      ref={frame}
      style={{ aspectRatio: `1 / ${ratio}`, maxWidth: `${WIDEST_PX}px` }}
      className="relative w-full shrink-0 overflow-hidden rounded-sm bg-surface shadow-raised"
    >
      <canvas ref={canvas} role="img" aria-label={label} className="size-full" />
      {/* For who cannot see it. */}
      <p className="sr-only">{text}</p>
    </div>
  )
}
