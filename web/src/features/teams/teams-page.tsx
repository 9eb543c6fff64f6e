import { Plus, UsersRound } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { catchLostFocus } from '../../lib/lost-focus.ts'
import { TeamDialog, TeamDialogFragment } from './team-dialog.tsx'

const TeamRowFragment = graphql(
  `
    fragment TeamRow on Team {
      id
      name
      assignmentMethod
      memberCount: teamMembers(first: 1) {
        totalCount
      }
      ...TeamDialog
    }
  `,
  [TeamDialogFragment],
)

const TeamsQuery = graphql(
  `
    query Teams {
      teams(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          ...TeamRow
        }
      }
    }
  `,
  [TeamRowFragment],
)

/** The teams that share the work, and who gets what comes in. */
export function TeamsPage() {
  const { t } = useTranslation(['teams', 'errors'])
  const [isMaking, setIsMaking] = useState(false)
  const [{ data, error }, reread] = useQuery({ query: TeamsQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const teams = (data?.teams.nodes ?? []).filter((node) => node !== null)
  return (
    <>
      <PageHeader
        title={t('title')}
        intro={t('intro')}
        actions={
          <Button variant="primary" onPress={() => setIsMaking(true)}>
            <Plus className="size-4" aria-hidden="true" />
            {t('make')}
          </Button>
        }
      />
      <Card className="overflow-hidden">
        {error && !data ? (
          <ErrorState title={t('listError')} onRetry={rereadSoon}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : !data ? (
          <SkeletonRows label={t('loading')} rows={4} />
        ) : teams.length === 0 ? (
          <EmptyState title={t('empty.title')}>{t('empty.body')}</EmptyState>
        ) : (
          <ul aria-label={t('title')} className="divide-y divide-border">
            {teams.map((team) => (
              <TeamRow key={team.id} team={team} onChanged={rereadSoon} />
            ))}
          </ul>
        )}
      </Card>
      <TeamDialog team={null} isOpen={isMaking} onClose={() => setIsMaking(false)} onChanged={rereadSoon} />
    </>
  )
}

function TeamRow({
  team: row,
  onChanged,
}: {
  team: FragmentOf<typeof TeamRowFragment>
  onChanged: () => void
}) {
  const { t } = useTranslation('teams')
  const team = readFragment(TeamRowFragment, row)
  const [isOpen, setIsOpen] = useState(false)
  // The dialog that removes the team gives the focus back to its line, which goes a moment later.
  useEffect(() => catchLostFocus, [])
  return (
    <li className="flex items-center gap-3 px-4 py-3 sm:px-5">
      <UsersRound className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{team.name}</p>
        <p className="text-sm text-muted">
          {t('people', { count: team.memberCount.totalCount })} · {t(`method.${team.assignmentMethod}`)}
        </p>
      </div>
      <Button size="small" aria-label={t('changeOf', { name: team.name })} onPress={() => setIsOpen(true)}>
        {t('change')}
      </Button>
      <TeamDialog team={team} isOpen={isOpen} onClose={() => setIsOpen(false)} onChanged={onChanged} />
    </li>
  )
}
