import { Lock } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Avatar } from '../../components/avatar.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { WrittenText } from '../../components/written-text.tsx'
import { FileFragment } from '../../graphql/attachments.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useSessionUser } from '../../lib/session.ts'
import { CommentFiles } from './comment-files.tsx'
import { CommentMenu } from './comment-menu.tsx'
import { MailOriginal, MailOriginalFragment } from './mail-original.tsx'

export const CommentEntryFragment = graphql(
  `
    fragment CommentEntry on Comment {
      id
      rowId
      body
      visibility
      createdAt
      authorName
      author {
        id
        rowId
        name
      }
      commentOriginal {
        id
        ...MailOriginal
      }
      attachments(first: 20, orderBy: [CREATED_AT_ASC]) {
        nodes {
          id
          ...File
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  `,
  [FileFragment, MailOriginalFragment],
)

export interface CommentEntryProps {
  comment: FragmentOf<typeof CommentEntryFragment>
  audience: 'requester' | 'team'
  /** What said it when nobody did. */
  saidBy?: string | null | undefined
}

/** Something said. A note for the team looks like nothing a customer could ever get. */
export function CommentEntry({ comment, audience, saidBy }: CommentEntryProps) {
  const { t } = useTranslation('comments')
  const user = useSessionUser()
  const { id, rowId, body, visibility, createdAt, author, authorName, attachments, commentOriginal } =
    readFragment(CommentEntryFragment, comment)
  const isNote = visibility === 'internal'
  const isOwn = author?.rowId === user.id
  const name = author?.name ?? authorName ?? saidBy ?? t('team')
  return (
    <article
      className={classNames(
        'rounded-xl border shadow-card',
        isNote ? 'border-note-border bg-note' : 'border-border bg-surface',
      )}
    >
      <header className="flex flex-wrap items-center gap-x-2.5 gap-y-1 px-4 pt-3 text-sm">
        <Avatar name={name} />
        <span className="font-semibold">{name}</span>
        {isOwn && <span className="text-muted">{t('you')}</span>}
        {isNote && (
          <span
            title={t('internalNoteHint')}
            className="inline-flex items-center gap-1 font-medium text-note-text"
          >
            <Lock className="size-3.5" aria-hidden="true" />
            {t('internalNote')}
          </span>
        )}
        <RelativeTime
          at={createdAt}
          className={classNames('ms-auto', isNote ? 'text-note-text' : 'text-muted')}
        />
        {audience === 'team' && <CommentMenu comment={{ rowId, body, authorName: name }} />}
      </header>
      <p dir="auto" className="written max-w-[75ch] px-4 pt-2.5 pb-4">
        <WrittenText>{body}</WrittenText>
      </p>
      {commentOriginal && <MailOriginal original={commentOriginal} />}
      <CommentFiles comment={{ id, attachments }} />
    </article>
  )
}
