import { KeyRound, Plus } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { useKeptFocus } from '../../lib/kept-focus.ts'
import { useSessionUser } from '../../lib/session.ts'
import { ApiTokenRow, ApiTokenRowFragment } from './api-token-row.tsx'
import { MadeToken } from './made-token.tsx'
import { NewTokenForm } from './new-token-form.tsx'

const OwnApiTokensQuery = graphql(
  `
    query OwnApiTokens($after: Cursor, $userId: UUID!) {
      apiTokens(
        first: 50
        after: $after
        filter: { userId: { equalTo: $userId } }
        orderBy: [CREATED_AT_DESC]
      ) {
        nodes {
          id
          rowId
          name
          revokedAt
          ...ApiTokenRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [ApiTokenRowFragment],
)

const RevokeApiToken = graphql(`
  mutation RevokeApiToken($tokenId: UUID!) {
    revokeApiToken(input: { tokenId: $tokenId }) {
      revoked
    }
  }
`)

const connectionOf = (data: ResultOf<typeof OwnApiTokensQuery>) => data.apiTokens

/** What programs sign in with in the name of the person: made, shown once, and ended here. */
export function OwnApiTokens() {
  const { t } = useTranslation(['api-tokens', 'errors'])
  const user = useSessionUser()
  const list = usePages({ document: OwnApiTokensQuery, variables: { userId: user.id }, connectionOf })
  const rereadSoon = useReread(list.reread)
  const [, revokeApiToken] = useMutation(RevokeApiToken)
  const [isMaking, setIsMaking] = useState(false)
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null)
  const tokenList = useRef<HTMLDivElement>(null)
  const tokens = list.nodes.filter((token) => token.revokedAt === null)
  useKeptFocus(tokenList, `${tokens.length} ${isMaking} ${made === null}`)

  async function revoke(tokenId: string, name: string) {
    const { error } = await revokeApiToken({ tokenId })
    // One that was revoked meanwhile is what was wanted.
    if (error && problemOf(error).code !== 'NOT_FOUND') throw error
    list.reread()
    notify({ tone: 'success', title: t('revoked', { name }) })
  }

  if (list.error && list.nodes.length === 0) {
    return (
      <ErrorState title={t('error')} onRetry={rereadSoon}>
        {t(`errors:${problemOf(list.error).code}`)}
      </ErrorState>
    )
  }
  if (list.isLoading) return <SkeletonRows label={t('loading')} rows={1} />
  return (
    <div ref={tokenList} tabIndex={-1}>
      {made && <MadeToken {...made} onKept={() => setMade(null)} />}
      {tokens.length > 0 ? (
        <ul>
          {tokens.map((token) => (
            <ApiTokenRow key={token.id} token={token} onRevoke={() => revoke(token.rowId, token.name)} />
          ))}
        </ul>
      ) : (
        !isMaking && (
          <p className="flex items-center gap-3 px-5 py-5 text-muted">
            <KeyRound className="size-5 shrink-0" aria-hidden="true" />
            {t('empty')}
          </p>
        )
      )}
      {list.hasMore && (
        <div className="border-t border-border px-5 py-3">
          <Button onPress={list.more} isPending={list.isLoadingMore}>
            {t('more')}
          </Button>
        </div>
      )}
      <div className="border-t border-border px-5 py-4 first:border-t-0">
        {isMaking ? (
          <NewTokenForm
            onMade={(token) => {
              setMade(token)
              setIsMaking(false)
              list.reread()
            }}
            onCancel={() => setIsMaking(false)}
          />
        ) : (
          <Button isDisabled={made !== null} onPress={() => setIsMaking(true)}>
            <Plus className="size-4" aria-hidden="true" />
            {t('make')}
          </Button>
        )}
      </div>
    </div>
  )
}
