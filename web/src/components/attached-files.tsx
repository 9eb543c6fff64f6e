import { RotateCw, TriangleAlert, X } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { ProgressBar } from 'react-aria-components/ProgressBar'
import { useTranslation } from 'react-i18next'
import { told } from '../graphql/errors.ts'
import { isSendable, isServed, type HeldFile } from '../graphql/attachments.ts'
import { classNames } from '../lib/class-names.ts'
import { previewOf, sizeText } from '../lib/file-kind.ts'
import { isUnderWay, type FileLimits, type Upload } from '../lib/upload-queue.ts'
import { Button } from './button.tsx'
import { FileSign } from './file-sign.tsx'
import { FileThumbnail } from './file-thumbnail.tsx'
import type { Attaching } from './use-attaching.ts'

export interface AttachedFilesProps {
  attaching: Attaching
  className?: string
  /** While it is sent nothing of it changes. */
  isLocked?: boolean
}

/** The files that go with what is written: on their way, refused, or there. */
export function AttachedFiles({ attaching, className, isLocked = false }: AttachedFilesProps) {
  const { t } = useTranslation('components')
  const { files, uploads, news, limits } = attaching
  const { list, followFrom } = useFollowingFocus(attaching)
  const entries = [
    ...files.map((file) => ({
      key: file.id,
      isTrouble: !isSendable(file),
      tile: (
        <ArrivedFile
          file={file}
          onRemove={() => {
            followFrom(file.id)
            attaching.remove(file.id)
          }}
          isLocked={isLocked}
        />
      ),
    })),
    ...uploads.map((upload) => ({
      key: upload.key,
      isTrouble: !isUnderWay(upload),
      tile: (
        <UploadingFile
          upload={upload}
          limits={limits}
          onStop={() => {
            followFrom(upload.key)
            attaching.stop(upload.key)
          }}
          onRetry={() => {
            followFrom(upload.key)
            attaching.retry(upload.key)
          }}
        />
      ),
    })),
  ]
  return (
    <>
      <p role="status" className="sr-only">
        {news}
      </p>
      {entries.length > 0 && (
        <ul
          ref={list}
          aria-label={t('files.attached')}
          className={classNames(
            'grid grid-cols-[repeat(auto-fill,minmax(min(100%,15rem),1fr))] gap-2',
            className,
          )}
        >
          {/* What somebody has to see to stands first, where the list may be longer than its room. */}
          {[...entries.filter((each) => each.isTrouble), ...entries.filter((each) => !each.isTrouble)].map(
            ({ key, tile }) => (
              <li key={key} data-key={key}>
                {tile}
              </li>
            ),
          )}
        </ul>
      )}
    </>
  )
}

/**
 * Keeps a keyboard in the list when what was pressed goes: on the last button of the same file, else of the one that
 * took its place, else on the button that attaches more.
 */
function useFollowingFocus({ files, uploads, button }: Attaching) {
  const list = useRef<HTMLUListElement>(null)
  const left = useRef<{ key: string; index: number } | null>(null)
  const rows = () => [...(list.current?.children ?? [])] as HTMLElement[]
  useEffect(() => {
    if (!left.current) return
    const { key, index } = left.current
    left.current = null
    if (document.activeElement !== document.body) return
    const now = rows()
    const row = now.find((each) => each.dataset['key'] === key) ?? now[Math.min(index, now.length - 1)]
    const target = row ? [...row.querySelectorAll('button')].at(-1) : button.current
    target?.focus()
  }, [files, uploads, button])
  return {
    list,
    /** Called before a button of this file is gone. */
    followFrom(key: string) {
      left.current = { key, index: rows().findIndex((each) => each.dataset['key'] === key) }
    },
  }
}

interface TileProps {
  name: string
  picture: ReactNode
  words: ReactNode
  isTrouble: boolean
  children: ReactNode
  progress?: ReactNode
}

function Tile({ name, picture, words, isTrouble, children, progress }: TileProps) {
  return (
    <div
      className={classNames(
        'relative flex min-h-13 items-center gap-2.5 overflow-hidden rounded-lg border py-1.5 ps-1.5 pe-1',
        isTrouble ? 'border-danger/50 bg-danger-soft' : 'border-border bg-surface',
      )}
    >
      <span className="grid size-10 shrink-0 place-items-center overflow-hidden rounded-md bg-sunken">
        {picture}
      </span>
      <span className="flex min-w-0 flex-1 flex-col">
        <bdi className="truncate text-sm font-medium" title={name}>
          {name}
        </bdi>
        <span className={classNames('text-xs', isTrouble ? 'text-danger-text' : 'truncate text-muted')}>
          {words}
        </span>
      </span>
      {children}
      {progress}
    </div>
  )
}

interface RemoveButtonProps {
  label: string
  onPress: () => void
  isDisabled?: boolean
}

function RemoveButton({ label, onPress, isDisabled = false }: RemoveButtonProps) {
  return (
    <Button
      variant="quiet"
      size="small"
      isIconOnly
      aria-label={label}
      onPress={onPress}
      isDisabled={isDisabled}
    >
      <X className="size-4" aria-hidden="true" />
    </Button>
  )
}

interface ArrivedFileProps {
  file: HeldFile
  onRemove: () => void
  isLocked: boolean
}

function ArrivedFile({ file, onRemove, isLocked }: ArrivedFileProps) {
  const { t, i18n } = useTranslation('components')
  const { name, size, contentType, state } = file
  const isTrouble = !isSendable(file)
  const words =
    state === 'pending' || state === 'unscannable'
      ? t(`files.state.${state}`)
      : isSendable(file)
        ? sizeText(size, i18n.language)
        : t(`files.refused.${state === 'gone' || state === 'removed' ? state : 'infected'}`)
  return (
    <Tile
      name={name}
      isTrouble={isTrouble}
      words={
        <span
          title={
            state === 'pending'
              ? t('files.pendingHint')
              : state === 'unscannable'
                ? t('files.stateHint.unscannable')
                : undefined
          }
          className={state === 'unscannable' ? 'text-warning-text' : ''}
        >
          {words}
        </span>
      }
      picture={
        isTrouble ? (
          <TriangleAlert className="size-5 text-danger-text" aria-hidden="true" />
        ) : isServed(file) && previewOf(contentType) === 'image' ? (
          <FileThumbnail file={file} className="grid size-full" />
        ) : (
          <FileSign contentType={contentType} />
        )
      }
    >
      <RemoveButton label={t('remove', { name })} onPress={onRemove} isDisabled={isLocked} />
    </Tile>
  )
}

interface UploadingFileProps {
  upload: Upload
  limits: FileLimits | null
  onStop: () => void
  onRetry: () => void
}

function UploadingFile({ upload, limits, onStop, onRetry }: UploadingFileProps) {
  const { t, i18n } = useTranslation(['components', 'errors'])
  const { file, state, progress, refusal } = upload
  const { name } = file
  const isTrouble = state === 'interrupted' || state === 'refused'
  const size = sizeText(file.size, i18n.language)
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent' }).format(progress)

  function words(): string {
    if (state === 'waiting') return t('files.waiting')
    if (state === 'interrupted') return t('files.interrupted')
    if (state === 'refused') {
      const code = told(refusal?.code)
      return code === 'ATTACHMENT_TOO_LARGE' && limits
        ? t('files.refused.large', { size, limit: sizeText(limits.maxFileBytes, i18n.language) })
        : code === 'TOO_MANY_ATTACHMENTS' && limits
          ? t('files.refused.many', { count: limits.maxFiles })
          : t(`errors:${code}`)
    }
    // All of it has left, and the answer waits for the scanner.
    return progress >= 1 ? t('files.checked') : t('files.sending', { percent, size })
  }

  return (
    <Tile
      name={name}
      isTrouble={isTrouble}
      words={<span className={state === 'sending' ? 'figures' : ''}>{words()}</span>}
      picture={
        isTrouble ? (
          <TriangleAlert className="size-5 text-danger-text" aria-hidden="true" />
        ) : (
          <LocalPicture file={file} />
        )
      }
      progress={
        state === 'sending' && (
          <ProgressBar
            aria-label={t('files.progress', { name })}
            value={progress * 100}
            className="absolute inset-x-0 bottom-0 h-1 bg-sunken"
          >
            {({ percentage = 0 }) => (
              <span
                className={classNames(
                  'block h-full rounded-e-full bg-accent transition-[width]',
                  progress >= 1 && 'animate-shimmer',
                )}
                style={{ width: `${percentage}%` }}
              />
            )}
          </ProgressBar>
        )
      }
    >
      {state === 'interrupted' && (
        <Button
          variant="quiet"
          size="small"
          isIconOnly
          aria-label={t('files.retry', { name })}
          onPress={onRetry}
        >
          <RotateCw className="size-4" aria-hidden="true" />
        </Button>
      )}
      <RemoveButton
        label={isTrouble ? t('remove', { name }) : t('files.cancel', { name })}
        onPress={onStop}
      />
    </Tile>
  )
}

/** What is being sent, from this device. */
function LocalPicture({ file }: { file: File }) {
  const [source, setSource] = useState<string | null>(null)
  const isShown = previewOf(file.type) === 'image'
  useEffect(() => {
    if (!isShown) return
    const address = URL.createObjectURL(file)
    setSource(address)
    return () => URL.revokeObjectURL(address)
  }, [file, isShown])
  return source ? (
    <img src={source} alt="" onError={() => setSource(null)} className="size-full object-cover" />
  ) : (
    <FileSign contentType={file.type} />
  )
}
