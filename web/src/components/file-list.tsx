import { Download, ShieldAlert, ShieldQuestion, Trash2, type LucideIcon } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isServed, type FileState, type HeldFile } from '../graphql/attachments.ts'
import { problemOf } from '../graphql/errors.ts'
import { classNames } from '../lib/class-names.ts'
import { downloadFrom } from '../lib/download.ts'
import { previewOf, sizeText } from '../lib/file-kind.ts'
import { downloadLink } from '../lib/file-links.ts'
import { Button } from './button.tsx'
import { FileSign } from './file-sign.tsx'
import { FileThumbnail } from './file-thumbnail.tsx'
import { Spinner } from './spinner.tsx'
import { notify } from './toast.tsx'

const FilePreview = lazy(async () => ({ default: (await import('./file-preview.tsx')).FilePreview }))

/** Downloads files, and tells why one cannot be had. */
export function useFileDownload() {
  const { t } = useTranslation(['components', 'errors'])
  const [downloading, setDownloading] = useState<string | null>(null)
  return {
    downloading,
    async download({ id, name }: Pick<HeldFile, 'id' | 'name'>): Promise<void> {
      setDownloading(id)
      try {
        downloadFrom(await downloadLink(id), name)
      } catch (error) {
        const { code } = problemOf(error instanceof Error ? error : new Error(String(error)))
        notify({ tone: 'danger', title: t('files.notDownloaded', { name, reason: t(`errors:${code}`) }) })
      } finally {
        setDownloading(null)
      }
    },
  }
}

export interface FileListProps {
  files: readonly HeldFile[]
}

/** Files that were sent: pictures to look at, and everything to download. */
export function FileList({ files }: FileListProps) {
  const { t } = useTranslation('components')
  const [shown, setShown] = useState<string | null>(null)
  const { download, downloading } = useFileDownload()
  const shownFiles = files.filter((file) => isServed(file) && previewOf(file.contentType) !== null)
  const pictures = shownFiles.filter(({ contentType }) => previewOf(contentType) === 'image')
  const others = files.filter((file) => !pictures.includes(file))
  if (files.length === 0) return null
  return (
    <>
      <div
        role="group"
        aria-label={t('files.list', { count: files.length })}
        className="flex w-full flex-col gap-2"
      >
        {pictures.length > 0 && (
          <ul className="flex flex-wrap gap-2">
            {pictures.map((file) => (
              <li key={file.id} className="max-w-full">
                <PictureTile
                  file={file}
                  isDownloading={downloading === file.id}
                  onOpen={() => setShown(file.id)}
                  onDownload={() => void download(file)}
                />
              </li>
            ))}
          </ul>
        )}
        {others.length > 0 && (
          <ul className="flex flex-wrap gap-2">
            {others.map((file) => (
              <li key={file.id} className="w-full sm:w-72">
                <FileTile
                  file={file}
                  isDownloading={downloading === file.id}
                  onOpen={shownFiles.includes(file) ? () => setShown(file.id) : null}
                  onDownload={() => void download(file)}
                />
              </li>
            ))}
          </ul>
        )}
      </div>
      {shown !== null && (
        <Suspense>
          <FilePreview
            files={[...pictures, ...shownFiles.filter((file) => !pictures.includes(file))]}
            shown={shown}
            onShow={setShown}
            onDownload={(file) => void download(file)}
            onClose={() => setShown(null)}
          />
        </Suspense>
      )}
    </>
  )
}

interface FileTileProps {
  file: HeldFile
  isDownloading: boolean
  onOpen: (() => void) | null
  onDownload: () => void
}

const tileClass =
  'group relative flex items-center rounded-lg border border-border bg-surface text-text transition-colors'
// The whole tile is pressed, and what is named in it is its button.
const coverClass =
  'max-w-full text-start text-sm font-medium outline-none after:absolute after:inset-0 after:rounded-lg focus-visible:after:outline-2 focus-visible:after:outline-focus'
// A letter may reach a little over its own width, and is not cut for that.
const nameClass = '-mx-0.5 block truncate px-0.5'

function PictureTile({ file, isDownloading, onOpen, onDownload }: FileTileProps) {
  const { t, i18n } = useTranslation('components')
  const { name, size } = file
  return (
    <div
      className={classNames(tileClass, 'w-48 max-w-full flex-col overflow-hidden hover:border-border-strong')}
    >
      <FileThumbnail
        file={file}
        className="grid h-28 w-full overflow-hidden border-b border-border bg-sunken"
      />
      <div className="flex w-full items-center gap-1 py-1 ps-2.5 pe-1">
        <span className="flex min-w-0 flex-1 flex-col">
          <button
            type="button"
            onClick={() => onOpen?.()}
            title={name}
            aria-label={t('files.preview', { name })}
            className={coverClass}
          >
            <bdi className={nameClass}>{name}</bdi>
          </button>
          <SizeLine size={sizeText(size, i18n.language)} state={file.state} />
        </span>
        <DownloadButton name={name} isDownloading={isDownloading} onDownload={onDownload} />
      </div>
    </div>
  )
}

function FileTile({ file, isDownloading, onOpen, onDownload }: FileTileProps) {
  const { t, i18n } = useTranslation('components')
  const { name, size, contentType, state } = file
  const isHad = isServed(file)
  return (
    <div
      className={classNames(
        tileClass,
        'min-h-13 w-full gap-2.5 py-1.5 ps-1.5 pe-1',
        isHad && 'hover:border-border-strong',
      )}
    >
      <span className="grid size-10 shrink-0 place-items-center rounded-md bg-sunken">
        <FileSign contentType={contentType} className={classNames('size-5', !isHad && 'opacity-50')} />
      </span>
      <span className="flex min-w-0 flex-1 flex-col items-start">
        {isHad ? (
          <button
            type="button"
            onClick={onOpen ?? onDownload}
            title={name}
            aria-label={t(onOpen ? 'files.preview' : 'files.download', { name })}
            className={coverClass}
          >
            <bdi className={nameClass}>{name}</bdi>
          </button>
        ) : (
          <bdi title={name} className={classNames(nameClass, 'max-w-full text-sm font-medium text-muted')}>
            {name}
          </bdi>
        )}
        <SizeLine size={sizeText(size, i18n.language)} state={state} />
      </span>
      {isHad && onOpen && (
        <DownloadButton name={name} isDownloading={isDownloading} onDownload={onDownload} />
      )}
      {/* The tile itself downloads it. */}
      {isHad && !onOpen && (
        <span className="grid size-8 shrink-0 place-items-center text-muted" aria-hidden="true">
          {isDownloading ? <Spinner className="size-4" /> : <Download className="size-4" />}
        </span>
      )}
    </div>
  )
}

const BADGES: Partial<Record<FileState, { Sign: LucideIcon; ink: string }>> = {
  pending: { Sign: ShieldQuestion, ink: 'text-info-text' },
  infected: { Sign: ShieldAlert, ink: 'text-danger-text' },
  unscannable: { Sign: ShieldAlert, ink: 'text-warning-text' },
  removed: { Sign: Trash2, ink: 'text-muted' },
}

/** How large it is and, where that is worth a word, what is known of it. */
function SizeLine({ size, state }: { size: string; state: FileState }) {
  const { t } = useTranslation('components')
  const badge = BADGES[state]
  if (state === 'clean' || state === 'gone') return <span className="figures text-xs text-muted">{size}</span>
  const words = t(`files.state.${state}`)
  return (
    <span className="figures flex max-w-full items-center gap-1 text-xs text-muted">
      <span className="shrink-0">{size}</span>
      <span aria-hidden="true">·</span>
      <span
        title={t(`files.stateHint.${state}`)}
        className={classNames('flex min-w-0 items-center gap-1', badge && `font-medium ${badge.ink}`)}
      >
        {badge && <badge.Sign className="size-3.5 shrink-0" aria-hidden="true" />}
        <span className="truncate">{words}</span>
      </span>
    </span>
  )
}

interface DownloadButtonProps {
  name: string
  isDownloading: boolean
  onDownload: () => void
}

function DownloadButton({ name, isDownloading, onDownload }: DownloadButtonProps) {
  const { t } = useTranslation('components')
  return (
    <Button
      variant="quiet"
      size="small"
      isIconOnly
      isPending={isDownloading}
      aria-label={t('files.download', { name })}
      onPress={onDownload}
      className="z-1"
    >
      <Download className="size-4" aria-hidden="true" />
    </Button>
  )
}
