import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { graphql } from '../graphql/tada.ts'

const PersonNameQuery = graphql(`
  query PersonName($id: UUID!) {
    users(first: 1, filter: { rowId: { equalTo: $id } }) {
      nodes {
        id
        name
      }
    }
  }
`)

/** What somebody is called, of whom only the row id is known; undefined until it is read. */
export function usePersonName(userId: string | null): string | undefined {
  const { t } = useTranslation('components')
  const [{ data }] = useQuery({
    query: PersonNameQuery,
    variables: { id: userId ?? '' },
    pause: userId === null,
  })
  return userId === null || !data ? undefined : (data.users.nodes[0]?.name ?? t('customField.unknownPerson'))
}

export function PersonName({ userId }: { userId: string }) {
  return usePersonName(userId)
}
