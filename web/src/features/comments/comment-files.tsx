import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useClient, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { FileList } from '../../components/file-list.tsx'
import { FileFragment, heldFile, pendingOf, useWaitForVerdict } from '../../graphql/attachments.ts'
import { graphql, type FragmentOf } from '../../graphql/tada.ts'

/** A mail may carry more than a page of the conversation reads of each of its messages. */
const AllFilesQuery = graphql(
  `
    query AllFilesOfComment($id: ID!) {
      node(id: $id) {
        id
        ... on Comment {
          allFiles: attachments(first: 100, orderBy: [CREATED_AT_ASC]) {
            nodes {
              id
              ...File
            }
          }
        }
      }
    }
  `,
  [FileFragment],
)

export interface CommentFilesProps {
  comment: {
    id: string
    attachments: {
      nodes: readonly (FragmentOf<typeof FileFragment> | null)[]
      pageInfo: { hasNextPage: boolean }
    }
  }
}

/** What came with something that was said. */
export function CommentFiles({ comment: { id, attachments } }: CommentFilesProps) {
  const { t } = useTranslation('components')
  const [isAll, setIsAll] = useState(false)
  const [{ data, fetching }] = useQuery({ query: AllFilesQuery, variables: { id }, pause: !isAll })
  const all = data?.node && 'allFiles' in data.node ? data.node.allFiles.nodes : null
  const nodes = all ?? attachments.nodes
  const files = nodes.flatMap((node) => (node ? [heldFile(node)] : []))
  const client = useClient()
  // What is read goes into the conversation too, because the cache knows the files by their ids.
  useWaitForVerdict(pendingOf(files), () =>
    client.query(AllFilesQuery, { id }, { requestPolicy: 'network-only' }).toPromise(),
  )
  if (files.length === 0) return null
  return (
    <div className="flex flex-col items-start gap-2 px-4 pb-4">
      <FileList files={files} />
      {attachments.pageInfo.hasNextPage && !all && (
        <Button size="small" isPending={fetching} onPress={() => setIsAll(true)}>
          {t('files.all')}
        </Button>
      )}
    </div>
  )
}
