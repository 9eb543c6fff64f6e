import { UserPlus } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { SearchField } from '../../components/search-field.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { Select } from '../../components/select.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import type { ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { InviteDialog } from './invite-dialog.tsx'
import {
  peopleFilter,
  readPeopleAddress,
  writePeopleAddress,
  type PeopleSelection,
} from './people-address.ts'
import { rememberPeoplePlace } from './people-place.ts'
import { PeopleQuery, PeopleTable } from './people-table.tsx'
import { PERSON_STATES } from './person-state.ts'
import { ROLES } from './roles.ts'

const connectionOf = (data: ResultOf<typeof PeopleQuery>) => data.users

/** Everybody of the organization, found by name, address, role and state. */
export function PeoplePage() {
  const { t } = useTranslation(['people', 'app', 'errors'])
  const [parameters, setParameters] = useSearchParams()
  const selection = readPeopleAddress(parameters)
  const [isInviting, setIsInviting] = useState(false)
  const list = usePages({
    document: PeopleQuery,
    variables: { filter: peopleFilter(selection) },
    connectionOf,
  })
  const rereadSoon = useReread(list.reread)
  rememberPeoplePlace(parameters.toString())
  const isNarrowed = parameters.size > 0 && writePeopleAddress(selection).size > 0

  const select = (part: Partial<PeopleSelection>) =>
    setParameters(writePeopleAddress({ ...selection, ...part }), {
      replace: true,
      state: { keepFocus: true },
      preventScrollReset: true,
    })

  return (
    <>
      <PageHeader
        title={t('title')}
        intro={t('intro')}
        actions={
          <Button variant="primary" onPress={() => setIsInviting(true)}>
            <UserPlus className="size-4" aria-hidden="true" />
            {t('invite.open')}
          </Button>
        }
      />
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
          <SearchWords
            label={t('search')}
            words={selection.search}
            onChange={(search) => select({ search })}
          />
          <Segmented
            label={t('stateFilter')}
            value={selection.state}
            onChange={(state) => select({ state })}
            segments={(['all', ...PERSON_STATES] as const).map((value) => ({
              value,
              label: t(`states.${value}`),
              className: 'max-sm:px-2',
            }))}
          />
          <div className="flex items-center gap-3">
            <Select
              look="inline"
              label={t('columns.role')}
              value={selection.role}
              choices={[
                { value: 'all', label: t('everyRole') },
                ...ROLES.map((role) => ({ value: role, label: t(`app:account.roles.${role}`) })),
              ]}
              onChange={(role) => select({ role })}
            />
          </div>
        </div>
        <Card className={classNames('overflow-hidden transition-opacity', list.isStale && 'opacity-60')}>
          <div aria-busy={list.isStale || list.isLoading}>
            {list.error && list.nodes.length === 0 ? (
              <ErrorState title={t('listError')} onRetry={list.reread}>
                {t(`errors:${problemOf(list.error).code}`)}
              </ErrorState>
            ) : list.isLoading ? (
              <LoadingRows label={t('loadingList')} />
            ) : list.nodes.length === 0 ? (
              <EmptyState
                title={t('empty.title')}
                action={
                  isNarrowed && (
                    <Button onPress={() => select({ search: '', role: 'all', state: 'all' })}>
                      {t('empty.everybody')}
                    </Button>
                  )
                }
              >
                {t('empty.body')}
              </EmptyState>
            ) : (
              <PeopleTable label={t('title')} rows={list.nodes} />
            )}
          </div>
        </Card>
        {list.hasMore && list.nodes.length > 0 && (
          <Button className="self-center" onPress={list.more} isPending={list.isLoadingMore}>
            {t('loadMore')}
          </Button>
        )}
      </div>
      <InviteDialog isOpen={isInviting} onClose={() => setIsInviting(false)} onInvited={rereadSoon} />
    </>
  )
}

/** What is typed shows at once and is looked for when typing rests. */
function SearchWords(props: { label: string; words: string; onChange: (words: string) => void }) {
  const { label, words, onChange } = props
  const [typed, setTyped] = useState(words)
  const rested = useDebounced(typed)
  const looked = useRef(words)
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  })
  useEffect(() => {
    if (rested === looked.current) return
    looked.current = rested
    latest.current(rested)
  }, [rested])
  // Somebody else changed the address: the way back, or "everybody".
  useEffect(() => {
    if (words === looked.current) return
    looked.current = words
    setTyped(words)
  }, [words])
  return <SearchField label={label} value={typed} onChange={setTyped} className="w-full sm:w-64" />
}

function LoadingRows({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label}>
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} className="flex items-center gap-3 border-b border-border px-5 py-3 last:border-b-0">
          <Skeleton className="size-8 shrink-0 rounded-full" />
          <div className="flex flex-1 flex-col gap-2">
            <Skeleton className="h-4 w-40" />
            <Skeleton className="h-3.5 w-56 max-w-full" />
          </div>
          <Skeleton className="h-6 w-20 rounded-full" />
        </div>
      ))}
    </div>
  )
}
