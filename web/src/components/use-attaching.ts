import { useCallback, useEffect, useEffectEvent, useRef, useState, type ClipboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import {
  isSendable,
  pendingOf,
  useFileLimits,
  useOwnUploads,
  useWaitForVerdict,
  type FileState,
  type HeldFile,
} from '../graphql/attachments.ts'
import { momentInName, pastedFiles } from '../lib/pasted-files.ts'
import { isUnderWay, placeOfKey, withArrived } from '../lib/upload-queue.ts'
import { useUploads } from '../lib/uploads.ts'
import { notify } from './toast.tsx'

/** Longer than the notice that offers to bring a file back. */
const DISCARD_AFTER_MS = 15_000

export interface AttachingOptions {
  /** The files that are on the server and go with what is written; the draft has them. */
  files: readonly HeldFile[]
  onChange: (files: HeldFile[]) => void
}

export type Attaching = ReturnType<typeof useAttaching>

/** Files that are to go with what is being written: those on their way, and those that have arrived. */
export function useAttaching({ files, onChange }: AttachingOptions) {
  const { t } = useTranslation('components')
  const limits = useFileLimits()
  const { read, discard } = useOwnUploads()
  const [news, setNews] = useState('')
  const button = useRef<HTMLButtonElement>(null)
  // Two that arrive in the same moment must not push each other out.
  const latest = useRef(files)
  useEffect(() => {
    latest.current = files
  }, [files])

  function change(next: readonly HeldFile[]) {
    latest.current = next
    onChange([...next])
  }

  /** At which place each was chosen. */
  const places = useRef(new Map<string, number>())
  const { uploads, isBusy, add, stop, retry, empty } = useUploads({
    limits,
    kept: files.length,
    onUploaded({ id, name, size, contentType, state }, key) {
      places.current.set(id, placeOfKey(key))
      const file = { id, name, size, contentType, state: state as FileState }
      change(withArrived(latest.current, file, places.current))
      setNews(t('files.told.attached', { name }))
    },
  })

  /** Asks the server what it says of them now: the scanner has looked, or a day has gone by. */
  async function look() {
    const asked = latest.current.map(({ id }) => id)
    const found = await read(asked)
    if (!found) return
    const byId = new Map(found.map((file) => [file.id, file]))
    const next = latest.current.map((file): HeldFile => {
      // One that arrived since was not asked for.
      if (!asked.includes(file.id)) return file
      return { ...file, state: byId.get(file.id)?.state ?? 'gone' }
    })
    if (next.some(({ state }, index) => state !== latest.current[index]?.state)) change(next)
  }
  useWaitForVerdict(pendingOf(files), look)
  const lookAtKept = useEffectEvent(() => {
    if (files.length > 0) void look()
  })
  useEffect(() => lookAtKept(), [])

  const troubles = uploads.filter((upload) => !isUnderWay(upload))
  const troubleKeys = troubles.map(({ key, state }) => `${key} ${state}`).join('\n')
  const told = useRef<ReadonlySet<string>>(new Set())
  const tellTrouble = useEffectEvent(() => {
    const last = troubles.findLast(({ key, state }) => !told.current.has(`${key} ${state}`))
    told.current = new Set(troubleKeys.split('\n'))
    if (!last) return
    const { name } = last.file
    setNews(t(last.state === 'interrupted' ? 'files.told.interrupted' : 'files.told.refused', { name }))
  })
  useEffect(() => tellTrouble(), [troubleKeys])

  return {
    limits,
    files,
    uploads,
    /** What a screen reader is told. */
    news,
    /** Whether sending has something to wait for. */
    isBusy,
    /** How many are still on their way. */
    underWay: uploads.filter(isUnderWay).length,
    /** Whether something is listed that would not go with what is sent. */
    hasTrouble: troubles.length > 0 || !files.every(isSendable),
    /** Whether some of it may go well another time: what was refused is refused again. */
    canTryAgain: troubles.some(({ state }) => state === 'interrupted'),
    /** The one that attaches more, for the focus when there is no file any more. */
    button,
    add,
    stop,
    retry,
    /** Takes off a file that has arrived; for a while it can be brought back. */
    remove(id: string) {
      const before = latest.current
      const file = before.find((each) => each.id === id)
      if (!file) return
      change(before.filter((each) => each.id !== id))
      if (!isSendable(file)) {
        if (file.state !== 'gone') discard(id)
        return
      }
      const timer = setTimeout(() => discard(id), DISCARD_AFTER_MS)
      notify({
        tone: 'success',
        title: t('files.removed', { name: file.name }),
        action: {
          label: t('files.undo'),
          onPress: () => {
            clearTimeout(timer)
            if (!latest.current.some((each) => each.id === id))
              change(withArrived(latest.current, file, places.current))
          },
        },
      })
    },
    /** For what was sent: whatever is still here belonged to it. */
    clear: useCallback(() => {
      empty()
      setNews('')
    }, [empty]),
    drop(dropped: File[], folders: number) {
      if (folders > 0) notify({ tone: 'danger', title: t('files.noFolders') })
      add(dropped)
    },
    onPaste(event: ClipboardEvent) {
      const { clipboardData } = event
      const moment = momentInName(new Date())
      const pasted = pastedFiles(
        { files: [...clipboardData.files], text: clipboardData.getData('text/plain') },
        (extension) => `${t('files.pastedName', { moment })}.${extension}`,
      )
      if (pasted.length === 0) return
      event.preventDefault()
      add(pasted)
    },
  }
}
