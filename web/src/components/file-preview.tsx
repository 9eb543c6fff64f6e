import { ChevronLeft, ChevronRight, Download, X } from 'lucide-react'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { Dialog as AriaDialog } from 'react-aria-components/Dialog'
import { Heading } from 'react-aria-components/Heading'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'
import { useTranslation } from 'react-i18next'
import type { HeldFile } from '../graphql/attachments.ts'
import { previewOf, sizeText } from '../lib/file-kind.ts'
import { previewLink } from '../lib/file-links.ts'
import { Button } from './button.tsx'
import { PdfPages } from './pdf-pages.tsx'
import { Spinner } from './spinner.tsx'

export interface FilePreviewProps {
  /** Those that can be looked at, in order. */
  files: readonly HeldFile[]
  /** The id of the one that is looked at. */
  shown: string
  onShow: (id: string) => void
  onDownload: (file: HeldFile) => void
  onClose: () => void
}

/** One file over the whole page; the arrow keys go to the ones beside it. */
export function FilePreview({ files, shown, onShow, onDownload, onClose }: FilePreviewProps) {
  const { t, i18n } = useTranslation('components')
  const index = files.findIndex(({ id }) => id === shown)
  const file = files[index]
  const isAlone = files.length < 2

  function go(step: number) {
    const next = files[(index + step + files.length) % files.length]
    if (next) onShow(next.id)
  }

  function onKeyDown(event: KeyboardEvent) {
    if (isAlone || event.ctrlKey || event.metaKey || event.altKey) return
    const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
    const back = forward === 'ArrowLeft' ? 'ArrowRight' : 'ArrowLeft'
    if (event.key !== forward && event.key !== back) return
    event.preventDefault()
    go(event.key === forward ? 1 : -1)
  }

  // What stood here was taken away while it was looked at.
  useEffect(() => {
    if (!file) onClose()
  }, [file, onClose])
  if (!file) return null
  return (
    <ModalOverlay
      isOpen
      onOpenChange={(open) => !open && onClose()}
      isDismissable
      className="fixed inset-0 z-40 bg-scrim backdrop-blur-sm data-[entering]:animate-enter"
    >
      <Modal className="size-full">
        {/* The arrows are heard wherever the focus is in it. */}
        <AriaDialog className="flex size-full flex-col outline-none">
          {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions */}
          <div className="flex min-h-0 flex-1 flex-col" onKeyDown={onKeyDown}>
            <header className="flex items-center gap-1 border-b border-border bg-raised py-2 ps-4 pe-2">
              <div className="flex min-w-0 flex-1 flex-col">
                <Heading slot="title" className="truncate text-base font-semibold">
                  <bdi>{file.name}</bdi>
                </Heading>
                <span className="figures truncate text-xs text-muted">
                  {isAlone
                    ? sizeText(file.size, i18n.language)
                    : `${t('files.place', { index: index + 1, count: files.length })} · ${sizeText(file.size, i18n.language)}`}
                </span>
              </div>
              <Button
                variant="quiet"
                isIconOnly
                aria-label={t('files.download', { name: file.name })}
                onPress={() => onDownload(file)}
              >
                <Download className="size-4.5" aria-hidden="true" />
              </Button>
              <Button variant="quiet" isIconOnly autoFocus aria-label={t('close')} onPress={onClose}>
                <X className="size-5" aria-hidden="true" />
              </Button>
            </header>
            <div className="relative flex min-h-0 flex-1">
              <Shown key={file.id} file={file} onClose={onClose} />
              {!isAlone && (
                <>
                  <Step way="back" onPress={() => go(-1)} />
                  <Step way="forward" onPress={() => go(1)} />
                </>
              )}
            </div>
            <p role="status" className="sr-only">
              {file.name}
            </p>
          </div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

function Step({ way, onPress }: { way: 'back' | 'forward'; onPress: () => void }) {
  const { t } = useTranslation('components')
  const Sign = way === 'back' ? ChevronLeft : ChevronRight
  return (
    <Button
      isIconOnly
      size="large"
      aria-label={t(way === 'back' ? 'files.previous' : 'files.next')}
      onPress={onPress}
      className={`absolute! inset-y-0 my-auto rounded-full! shadow-raised ${way === 'back' ? 'start-3' : 'end-3'}`}
    >
      <Sign className="size-5 rtl:-scale-x-100" aria-hidden="true" />
    </Button>
  )
}

function Shown({ file, onClose }: { file: HeldFile; onClose: () => void }) {
  const { t } = useTranslation('components')
  const [address, setAddress] = useState<string | null>(null)
  const [isBroken, setIsBroken] = useState(false)
  const [isLoaded, setIsLoaded] = useState(false)
  const stage = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let isOver = false
    previewLink(file.id).then(
      (link) => !isOver && setAddress(link),
      () => !isOver && setIsBroken(true),
    )
    return () => {
      isOver = true
    }
  }, [file.id])

  if (isBroken) {
    return (
      <p
        role="alert"
        className="m-auto max-w-sm rounded-lg bg-raised px-5 py-4 text-center text-muted shadow-raised"
      >
        {t('files.noPreview')}
      </p>
    )
  }
  const waiting = (
    <span role="status" className="absolute inset-0 grid animate-late place-items-center">
      <span className="rounded-full bg-raised p-3 shadow-raised">
        <Spinner className="size-6" />
      </span>
      <span className="sr-only">{t('files.loading', { name: file.name })}</span>
    </span>
  )
  if (address && previewOf(file.contentType) === 'pdf') {
    return (
      <PdfPages address={address} name={file.name} waiting={waiting} onBroken={() => setIsBroken(true)} />
    )
  }
  return (
    <div
      ref={stage}
      // Beside the picture is beside the window.
      onPointerUp={(event) => event.target === stage.current && onClose()}
      className="flex min-h-0 flex-1 items-center justify-center p-4"
    >
      {!isLoaded && waiting}
      {address && (
        <img
          src={address}
          alt={file.name}
          onLoad={() => setIsLoaded(true)}
          onError={() => setIsBroken(true)}
          className="max-h-full max-w-full rounded-md bg-raised object-contain shadow-overlay"
        />
      )}
    </div>
  )
}
