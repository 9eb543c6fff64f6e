import { useCallback, useEffect, useEffectEvent, useMemo } from 'react'
import { useClient, useQuery } from 'urql'
import type { FileLimits } from '../lib/upload-queue.ts'
import { graphql, readFragment, type FragmentOf } from './tada.ts'

/** A file as every list of them shows it. */
export const FileFragment = graphql(`
  fragment File on Attachment {
    id
    rowId
    name
    size
    contentType
    state
  }
`)

const FileLimitsQuery = graphql(`
  query FileLimits {
    attachmentSettings(first: 1) {
      nodes {
        id
        maxFileBytes
        maxFilesPerComment
        allowedContentTypes
      }
    }
  }
`)

const OwnUploadsQuery = graphql(
  `
    query OwnUploads($ids: [UUID]!) {
      ownUploads(attachmentIds: $ids, first: 100) {
        nodes {
          id
          ...File
        }
      }
    }
  `,
  [FileFragment],
)

const DiscardUpload = graphql(`
  mutation DiscardUpload($attachmentId: UUID!) {
    discardUpload(input: { attachmentId: $attachmentId }) {
      discarded
    }
  }
`)

/** What is known of a file's content; `gone` is one that the server has no more. */
export type FileState =
  'pending' | 'clean' | 'unscanned' | 'infected' | 'unscannable' | 'released' | 'removed' | 'gone'

/** A file that the server has. */
export interface HeldFile {
  id: string
  name: string
  size: number
  contentType: string
  state: FileState
}

/** A file of the API as the screens have it. */
export function heldFile(held: FragmentOf<typeof FileFragment>): HeldFile {
  const { rowId, name, size, contentType, state } = readFragment(FileFragment, held)
  return { id: rowId, name, size: Number(size), contentType, state }
}

/** Those whose content somebody may have. */
export const isServed = ({ state }: Pick<HeldFile, 'state'>): boolean =>
  state === 'clean' || state === 'unscanned' || state === 'released'

/** Those that may go with what is sent: the scanner need not have looked yet, nor been able to. */
export const isSendable = (file: Pick<HeldFile, 'state'>): boolean =>
  file.state === 'pending' || file.state === 'unscannable' || isServed(file)

/** What may be attached; null until it is known. */
export function useFileLimits(): FileLimits | null {
  const [{ data }] = useQuery({ query: FileLimitsQuery, requestPolicy: 'cache-first' })
  const settings = data?.attachmentSettings.nodes[0]
  return useMemo(
    () =>
      settings
        ? {
            maxFileBytes: Number(settings.maxFileBytes),
            maxFiles: settings.maxFilesPerComment,
            allowedTypes: settings.allowedContentTypes.filter((type) => type !== null),
          }
        : null,
    [settings],
  )
}

/** The files that the person uploaded and did not send. */
export function useOwnUploads() {
  const client = useClient()
  return {
    /** Those of them with these ids; null when the server could not be asked. */
    read: useCallback(
      async (ids: readonly string[]): Promise<HeldFile[] | null> => {
        const { data } = await client
          .query(OwnUploadsQuery, { ids: [...ids] }, { requestPolicy: 'network-only' })
          .toPromise()
        return data?.ownUploads.nodes.flatMap((node) => (node ? [heldFile(node)] : [])) ?? null
      },
      [client],
    ),
    /** What is not discarded is forgotten after a day. */
    discard: useCallback(
      (attachmentId: string) => void client.mutation(DiscardUpload, { attachmentId }).toPromise(),
      [client],
    ),
  }
}

/** How long the scanner is waited for, look by look: it takes a second, or it is away. */
const LOOKS_MS = [1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000]

/**
 * Has `look` look again while a file waits for the scanner, until there is no point in waiting; `pending` names those
 * that wait.
 */
export function useWaitForVerdict(pending: string, look: () => unknown): void {
  const lookNow = useEffectEvent(look)
  useEffect(() => {
    if (pending === '') return
    let timer: ReturnType<typeof setTimeout>
    let isOver = false
    const wait = (turn: number) => {
      const length = LOOKS_MS[turn]
      if (length === undefined) return
      timer = setTimeout(() => {
        void Promise.resolve(lookNow()).then(() => {
          if (!isOver) wait(turn + 1)
        })
      }, length)
    }
    wait(0)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [pending])
}

/** The ids of those that wait for the scanner, in one text. */
export const pendingOf = (files: readonly HeldFile[]): string =>
  files
    .filter(({ state }) => state === 'pending')
    .map(({ id }) => id)
    .join(' ')
