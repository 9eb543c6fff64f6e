import { Building2, Plus, Share2 } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { SearchField } from '../../components/search-field.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { Pill } from '../../components/pill.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { catchLostFocus } from '../../lib/lost-focus.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { CompanyDialog, CompanyDialogFragment } from './company-dialog.tsx'

const CompanyRowFragment = graphql(
  `
    fragment CompanyRow on Company {
      id
      name
      sharesTickets
      users {
        totalCount
      }
      ...CompanyDialog
    }
  `,
  [CompanyDialogFragment],
)

const CompaniesQuery = graphql(
  `
    query Companies($after: Cursor, $filter: CompanyFilter) {
      companies(first: 50, after: $after, filter: $filter, orderBy: [NAME_ASC]) {
        nodes {
          id
          ...CompanyRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [CompanyRowFragment],
)

const connectionOf = (data: ResultOf<typeof CompaniesQuery>) => data.companies

/** The companies that customers work for. */
export function CompaniesPage() {
  const { t } = useTranslation(['companies', 'errors'])
  const [search, setSearch] = useState('')
  const words = useDebounced(search.trim())
  const [isMaking, setIsMaking] = useState(false)
  const variables = words === '' ? {} : { filter: { name: { includesInsensitive: words } } }
  const list = usePages({ document: CompaniesQuery, variables, connectionOf })
  const rereadSoon = useReread(list.reread)
  const make = (
    <Button variant="primary" onPress={() => setIsMaking(true)}>
      <Plus className="size-4" aria-hidden="true" />
      {t('make')}
    </Button>
  )
  const isEmpty = list.nodes.length === 0
  // The empty list has the button itself, and nothing to search.
  const isBare = isEmpty && !list.isLoading && !list.error && words === '' && search.trim() === ''

  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} actions={!isBare && make} />
      <div className="flex flex-col gap-3">
        {!isBare && (
          <SearchField
            label={t('search')}
            value={search}
            onChange={setSearch}
            className="w-full sm:max-w-72"
          />
        )}
        <Card className={classNames('overflow-hidden transition-opacity', list.isStale && 'opacity-60')}>
          <div aria-busy={list.isStale || list.isLoading}>
            {list.error && isEmpty ? (
              <ErrorState title={t('listError')} onRetry={list.reread}>
                {t(`errors:${problemOf(list.error).code}`)}
              </ErrorState>
            ) : list.isLoading ? (
              <LoadingRows label={t('loadingList')} />
            ) : isEmpty ? (
              words === '' ? (
                <EmptyState title={t('empty.title')} action={<Leaving>{make}</Leaving>}>
                  {t('empty.body')}
                </EmptyState>
              ) : (
                <EmptyState title={t('empty.searchTitle')}>{t('empty.searchBody')}</EmptyState>
              )
            ) : (
              <ul aria-label={t('title')} className="divide-y divide-border">
                {list.nodes.map((company) => (
                  <CompanyRow key={company.id} company={company} onChanged={rereadSoon} />
                ))}
              </ul>
            )}
          </div>
        </Card>
        {list.hasMore && !isEmpty && (
          <Button className="self-center" onPress={list.more} isPending={list.isLoadingMore}>
            {t('loadMore')}
          </Button>
        )}
      </div>
      <CompanyDialog
        company={null}
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        onChanged={rereadSoon}
      />
    </>
  )
}

/** What goes when the first company comes, with the focus that its dialog gave back. */
function Leaving({ children }: { children: ReactNode }) {
  useEffect(() => catchLostFocus, [])
  return children
}

interface CompanyRowProps {
  company: FragmentOf<typeof CompanyRowFragment>
  onChanged: () => void
}

function CompanyRow({ company: row, onChanged }: CompanyRowProps) {
  const { t } = useTranslation('companies')
  const company = readFragment(CompanyRowFragment, row)
  const [isOpen, setIsOpen] = useState(false)
  // The dialog that removes the company gives the focus back to its line, which goes a moment later.
  useEffect(() => catchLostFocus, [])
  return (
    <li className="flex items-center gap-3 px-4 py-3 sm:px-5">
      <Building2 className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-40">
          <p className="truncate text-sm font-medium">{company.name}</p>
          <p className="text-sm text-muted">{t('people', { count: company.users.totalCount })}</p>
        </div>
        {company.sharesTickets && (
          <Pill tone="info" sign={Share2}>
            {t('shares')}
          </Pill>
        )}
      </div>
      <Button size="small" aria-label={t('changeOf', { name: company.name })} onPress={() => setIsOpen(true)}>
        {t('change')}
      </Button>
      <CompanyDialog
        company={company}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        onChanged={onChanged}
      />
    </li>
  )
}

function LoadingRows({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label}>
      {Array.from({ length: 5 }, (_, index) => (
        <div key={index} className="flex items-center gap-3 border-b border-border px-5 py-3 last:border-b-0">
          <Skeleton className="size-5 shrink-0" />
          <div className="flex flex-1 flex-col gap-2">
            <Skeleton className="h-4 w-44" />
            <Skeleton className="h-3.5 w-20" />
          </div>
          <Skeleton className="h-8 w-20" />
        </div>
      ))}
    </div>
  )
}
