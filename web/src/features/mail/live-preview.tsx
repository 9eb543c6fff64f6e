import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useDebounced } from '../../lib/debounced.ts'
import type { MailKind } from './mail-kinds.ts'
import { RenderedMail, RenderedMailFragment } from './rendered-mail.tsx'

const PreviewQuery = graphql(
  `
    query PreviewMail(
      $kind: MailKind!
      $locale: String!
      $subject: String!
      $body: String!
      $senderName: String
      $brandColor: String
      $footer: String
    ) {
      previewMailTemplate(
        kind: $kind
        locale: $locale
        subject: $subject
        body: $body
        senderName: $senderName
        brandColor: $brandColor
        footer: $footer
      ) {
        ...RenderedMail
      }
    }
  `,
  [RenderedMailFragment],
)

export interface Draft {
  kind: MailKind
  locale: string
  subject: string
  body: string
  senderName?: string
  brandColor?: string
  footer?: string
}

/** How a mail would read with what is being typed. */
export function LivePreview({ draft }: { draft: Draft }) {
  const { t } = useTranslation(['mail', 'errors'])
  const rested = useDebounced(JSON.stringify(draft), 250)
  const [{ data, error, fetching, stale }] = useQuery({
    query: PreviewQuery,
    variables: JSON.parse(rested) as Draft,
    // The settings go into it, and are changed elsewhere.
    requestPolicy: 'cache-and-network',
  })
  if (data) {
    return (
      <div aria-busy={fetching || stale} className={classNames('transition-opacity', stale && 'opacity-70')}>
        <RenderedMail mail={data.previewMailTemplate} />
      </div>
    )
  }
  return error ? (
    <p role="alert" className="p-5 text-sm text-danger-text">
      {t(`errors:${problemOf(error).code}`)}
    </p>
  ) : (
    <div role="status" aria-label={t('rendered.loading')} className="p-5">
      <Skeleton className="h-96 rounded-lg" />
    </div>
  )
}
