import { FolderClosed, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Pill } from '../../components/pill.tsx'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { AudiencePill } from './audience-pill.tsx'
import { usePreparesForOthers } from './audience-field.tsx'
import { CannedResponseDialog, CannedResponseDialogFragment } from './canned-response-dialog.tsx'
import { byFolder } from './folders.ts'
import { PreparedList } from './prepared-list.tsx'

const CannedResponseRowFragment = graphql(
  `
    fragment CannedResponseRow on CannedResponse {
      id
      title
      body
      visibility
      archivedAt
      uses
      team {
        id
        name
      }
      ...CannedResponseDialog
    }
  `,
  [CannedResponseDialogFragment],
)

const CannedResponsesQuery = graphql(
  `
    query CannedResponses($after: Cursor, $filter: CannedResponseFilter) {
      cannedResponses(first: 50, after: $after, filter: $filter, orderBy: [FOLDER_ASC, TITLE_ASC]) {
        nodes {
          id
          folder
          ...CannedResponseRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [CannedResponseRowFragment],
)

const connectionOf = (data: ResultOf<typeof CannedResponsesQuery>) => data.cannedResponses

/** The prepared texts, folder by folder. */
export function CannedResponseList() {
  const { t } = useTranslation('canned-responses')
  const [isMaking, setIsMaking] = useState(false)
  const [showsArchived, setShowsArchived] = useState(false)
  const list = usePages({
    document: CannedResponsesQuery,
    variables: { filter: { archivedAt: { isNull: !showsArchived } } },
    connectionOf,
  })
  const rereadSoon = useReread(list.reread)
  return (
    <PreparedList
      list={list}
      label={t('responses')}
      emptyTitle={t('response.emptyTitle')}
      emptyBody={t('response.emptyBody')}
      showsArchived={showsArchived}
      onShowArchived={setShowsArchived}
      make={
        <Button variant="primary" onPress={() => setIsMaking(true)}>
          <Plus className="size-4" aria-hidden="true" />
          {t('response.make')}
        </Button>
      }
      dialog={
        <CannedResponseDialog
          response={null}
          isOpen={isMaking}
          onClose={() => setIsMaking(false)}
          onChanged={rereadSoon}
        />
      }
    >
      {byFolder(list.nodes).map(({ folder, entries }) => (
        <section key={folder} aria-label={folder || t('response.noFolder')}>
          <h2 className="flex items-center gap-2 border-b border-border bg-sunken px-4 py-2 text-sm font-semibold sm:px-5">
            <FolderClosed className="size-4 text-faint" aria-hidden="true" />
            {folder || t('response.noFolder')}
          </h2>
          <ul className="divide-y divide-border">
            {entries.map((response) => (
              <ResponseRow key={response.id} response={response} onChanged={rereadSoon} />
            ))}
          </ul>
        </section>
      ))}
    </PreparedList>
  )
}

interface ResponseRowProps {
  response: FragmentOf<typeof CannedResponseRowFragment>
  onChanged: () => void
}

function ResponseRow({ response: row, onChanged }: ResponseRowProps) {
  const { t } = useTranslation('canned-responses')
  const response = readFragment(CannedResponseRowFragment, row)
  const [isOpen, setIsOpen] = useState(false)
  const mayChange = usePreparesForOthers() || response.visibility === 'personal'
  return (
    <li className="flex items-center gap-3 px-4 py-3 sm:px-5">
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-48">
          <p className="truncate text-sm font-medium">{response.title}</p>
          <p className="truncate text-sm text-muted">{response.body}</p>
        </div>
        <span className="figures text-sm text-muted">{t('uses', { count: response.uses })}</span>
        {response.archivedAt && <Pill tone="neutral">{t('isArchived')}</Pill>}
        <AudiencePill visibility={response.visibility} team={response.team} />
      </div>
      {mayChange && (
        <Button
          size="small"
          aria-label={t('changeOf', { name: response.title })}
          onPress={() => setIsOpen(true)}
        >
          {t('change')}
        </Button>
      )}
      <CannedResponseDialog
        response={response}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        onChanged={onChanged}
      />
    </li>
  )
}
