import { Mail, TextQuote } from 'lucide-react'
import { useEffect, useId, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { WrittenText } from '../../components/written-text.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { imageAsData, MAIL_PAGE, styleByHand } from './mail-page.ts'

export const MailOriginalFragment = graphql(`
  fragment MailOriginal on CommentOriginal {
    id
    hasHtml
    hasQuotedText
  }
`)

// What a mail repeats may be longer than the whole conversation: it is read when somebody wants to.
const MailOriginalQuery = graphql(`
  query MailOriginal($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on CommentOriginal {
        html
        quotedText
        comment {
          id
          attachments(first: 50, orderBy: [CREATED_AT_ASC]) {
            nodes {
              id
              rowId
              contentId
              contentType
              state
            }
          }
        }
      }
    }
  }
`)

const SERVED = new Set(['clean', 'unscanned', 'released'])

export interface MailOriginalProps {
  original: FragmentOf<typeof MailOriginalFragment>
}

/** What a mail carried beside the words that are shown: what it repeats, and how it looked. */
export function MailOriginal({ original }: MailOriginalProps) {
  const { t } = useTranslation('comments')
  const { id, hasHtml, hasQuotedText } = readFragment(MailOriginalFragment, original)
  const [shown, setShown] = useState<'quoted' | 'look' | null>(null)
  const region = useId()
  const toggle = (what: 'quoted' | 'look') => setShown(shown === what ? null : what)
  return (
    <div className="px-4 pb-3">
      <div className="-ms-2 flex flex-wrap gap-1">
        {hasQuotedText && (
          <Button
            variant="quiet"
            size="small"
            aria-expanded={shown === 'quoted'}
            aria-controls={region}
            onPress={() => toggle('quoted')}
          >
            <TextQuote className="size-4" aria-hidden="true" />
            {t(shown === 'quoted' ? 'mail.hideQuoted' : 'mail.showQuoted')}
          </Button>
        )}
        {hasHtml && (
          <Button
            variant="quiet"
            size="small"
            aria-expanded={shown === 'look'}
            aria-controls={region}
            onPress={() => toggle('look')}
          >
            <Mail className="size-4" aria-hidden="true" />
            {t(shown === 'look' ? 'mail.hideOriginal' : 'mail.showOriginal')}
          </Button>
        )}
      </div>
      <div id={region}>{shown && <Opened id={id} what={shown} />}</div>
    </div>
  )
}

function Opened({ id, what }: { id: string; what: 'quoted' | 'look' }) {
  const { t } = useTranslation(['comments', 'errors'])
  const [{ data, error }] = useQuery({ query: MailOriginalQuery, variables: { id } })
  const original = data?.node?.__typename === 'CommentOriginal' ? data.node : null
  if (!original) {
    if (error) return <InlineAlert>{t(`errors:${problemOf(error).code}`)}</InlineAlert>
    if (data) return null
    return (
      <div role="status" aria-label={t('mail.loading')} className="pt-2">
        <Skeleton className="h-24 rounded-md" />
      </div>
    )
  }
  if (what === 'quoted') {
    return (
      <div
        dir="auto"
        className="written mt-2 max-w-[75ch] border-s-2 border-border ps-3 text-sm [overflow-wrap:anywhere] text-muted"
      >
        <WrittenText>{original.quotedText ?? ''}</WrittenText>
      </div>
    )
  }
  const images = new Map(
    original.comment?.attachments.nodes
      .filter((file) => file !== null)
      .filter(
        ({ contentId, contentType, state }) =>
          contentId && /^image\/(png|jpeg|gif|webp)$/.test(contentType) && SERVED.has(state),
      )
      .map(({ contentId, rowId }) => [contentId!, rowId]),
  )
  return <Look html={original.html ?? ''} images={images} />
}

/** As its sender's program would show it, in a frame that runs nothing and reaches nobody. */
function Look({ html, images }: { html: string; images: ReadonlyMap<string, string> }) {
  const { t } = useTranslation('comments')
  const frame = useRef<HTMLIFrameElement>(null)
  const [height, setHeight] = useState(160)
  const gone = useRef(new AbortController())
  useEffect(() => {
    const leaving = new AbortController()
    gone.current = leaving
    return () => leaving.abort()
  }, [])

  async function fill() {
    const page = frame.current?.contentDocument
    if (!page) return
    styleByHand(page)
    const fit = () => setHeight(Math.min(page.documentElement.scrollHeight + 2, 1_600))
    fit()
    for (const image of page.querySelectorAll<HTMLImageElement>('img[data-cid]')) {
      const rowId = images.get(image.dataset['cid'] ?? '')
      const data = rowId && (await imageAsData(rowId, gone.current.signal))
      if (gone.current.signal.aborted) return
      if (!data) continue
      image.addEventListener('load', fit, { once: true })
      image.src = data
    }
  }

  return (
    <div className="mt-2 flex flex-col gap-2">
      {html.includes('data-remote') && <p className="text-sm text-muted">{t('mail.noRemote')}</p>}
      <iframe
        ref={frame}
        title={t('mail.original')}
        // Without scripts the same origin lets nothing out, and lets us in to style it and to know its height.
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        srcDoc={`${MAIL_PAGE}${html}`}
        onLoad={() => void fill()}
        style={{ height }}
        className="w-full rounded-md border border-border bg-white"
      />
    </div>
  )
}
