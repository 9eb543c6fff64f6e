import { Plus } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { AddRuleDialog } from './add-rule-dialog.tsx'
import { BreakGlassCommand } from './break-glass-command.tsx'
import { IpRuleFragment, IpRuleRow } from './ip-rule-row.tsx'
import { groupRules, type RuleGroup } from './rule-groups.ts'

const IpRulesQuery = graphql(
  `
    query IpRules($after: Cursor) {
      ipRules(first: 100, after: $after, orderBy: [NETWORK_ASC]) {
        nodes {
          id
          role
          ...IpRule
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [IpRuleFragment],
)

const OwnAddressQuery = graphql(`
  query OwnAddress {
    ownSessions(first: 100) {
      nodes {
        rowId
        ipAddress
        isCurrent
      }
    }
  }
`)

const connectionOf = (data: ResultOf<typeof IpRulesQuery>) => data.ipRules
const NO_VARIABLES = {}

/** From where people may come. */
export function IpRulesPage() {
  const { t } = useTranslation(['ip-rules', 'app', 'errors'])
  const [isAdding, setIsAdding] = useState(false)
  const list = usePages({ document: IpRulesQuery, variables: NO_VARIABLES, connectionOf })
  const rereadSoon = useReread(list.reread)
  const [{ data: own }] = useQuery({ query: OwnAddressQuery })
  const ownAddress = own?.ownSessions.nodes.find((session) => session?.isCurrent)?.ipAddress ?? null
  const { hasMore, isLoadingMore, more, error } = list
  // What holds for a role is known only when every rule is.
  useEffect(() => {
    if (hasMore && !isLoadingMore && !error) more()
  }, [hasMore, isLoadingMore, error, more])

  return (
    <>
      <PageHeader
        title={t('title')}
        intro={t('intro')}
        actions={
          <Button variant="primary" onPress={() => setIsAdding(true)}>
            <Plus className="size-4" aria-hidden="true" />
            {t('add.open')}
          </Button>
        }
      />
      {error && (hasMore || list.nodes.length === 0) ? (
        <Card>
          <ErrorState title={t('error')} onRetry={list.reread}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        </Card>
      ) : list.isLoading || hasMore ? (
        <Card>
          <div role="status" aria-label={t('loading')} className="flex flex-col gap-6 p-5">
            {Array.from({ length: 5 }, (_, index) => (
              <Skeleton key={index} className="h-5 w-full" />
            ))}
          </div>
        </Card>
      ) : (
        <>
          {ownAddress && (
            <p className="text-sm text-muted">
              {t('ownAddress')}{' '}
              <span dir="ltr" className="figures font-medium text-text">
                {ownAddress}
              </span>
            </p>
          )}
          <Card className="divide-y divide-border">
            {groupRules(list.nodes).map((group) => (
              <Group key={group.audience} group={group} onChanged={rereadSoon} />
            ))}
          </Card>
          <p className="max-w-[68ch] text-sm text-muted">
            {t('breakGlass')} <BreakGlassCommand />
          </p>
        </>
      )}
      <AddRuleDialog
        isOpen={isAdding}
        ownAddress={ownAddress}
        onClose={() => setIsAdding(false)}
        onAdded={rereadSoon}
      />
    </>
  )
}

interface GroupProps {
  group: RuleGroup<Parameters<typeof IpRuleRow>[0]['rule'] & { id: string }>
  onChanged: () => void
}

function Group({ group: { audience, rules, reach }, onChanged }: GroupProps) {
  const { t } = useTranslation(['ip-rules', 'app'])
  const title = audience === 'everybody' ? t('everybody') : t(`app:account.roles.${audience}`)
  const heading = `rules-${audience}`
  return (
    <section aria-labelledby={heading}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 px-5 py-3.5">
        <h2 id={heading} className="text-sm font-semibold">
          {title}
        </h2>
        <p className="text-sm text-muted">
          {t(
            audience === 'everybody'
              ? `reach.everybody.${reach === 'own' ? 'own' : 'everywhere'}`
              : `reach.${reach}`,
          )}
        </p>
      </div>
      {rules.length > 0 && (
        <ul className="mx-5 mb-4 divide-y divide-border rounded-lg border border-border">
          {rules.map((rule) => (
            <IpRuleRow key={rule.id} rule={rule} onChanged={onChanged} />
          ))}
        </ul>
      )}
    </section>
  )
}
