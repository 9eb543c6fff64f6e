import { Plus, Zap } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Pill } from '../../components/pill.tsx'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { usePreparesForOthers } from './audience-field.tsx'
import { AudiencePill } from './audience-pill.tsx'
import { readActions } from './macro-actions.ts'
import { MacroDialog, MacroDialogFragment } from './macro-dialog.tsx'
import { PreparedList } from './prepared-list.tsx'

const MacroRowFragment = graphql(
  `
    fragment MacroRow on Macro {
      id
      name
      description
      actions
      visibility
      archivedAt
      uses
      team {
        id
        name
      }
      ...MacroDialog
    }
  `,
  [MacroDialogFragment],
)

const MacrosQuery = graphql(
  `
    query Macros($after: Cursor, $filter: MacroFilter) {
      macros(first: 50, after: $after, filter: $filter, orderBy: [POSITION_ASC, NAME_ASC]) {
        nodes {
          id
          ...MacroRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [MacroRowFragment],
)

const connectionOf = (data: ResultOf<typeof MacrosQuery>) => data.macros

/** The macros in the order of their menu. */
export function MacroList() {
  const { t } = useTranslation('canned-responses')
  const [isMaking, setIsMaking] = useState(false)
  const [showsArchived, setShowsArchived] = useState(false)
  const list = usePages({
    document: MacrosQuery,
    variables: { filter: { archivedAt: { isNull: !showsArchived } } },
    connectionOf,
  })
  const rereadSoon = useReread(list.reread)
  return (
    <PreparedList
      list={list}
      label={t('macros')}
      emptyTitle={t('macro.emptyTitle')}
      emptyBody={t('macro.emptyBody')}
      showsArchived={showsArchived}
      onShowArchived={setShowsArchived}
      make={
        <Button variant="primary" onPress={() => setIsMaking(true)}>
          <Plus className="size-4" aria-hidden="true" />
          {t('macro.make')}
        </Button>
      }
      dialog={
        <MacroDialog
          macro={null}
          isOpen={isMaking}
          onClose={() => setIsMaking(false)}
          onChanged={rereadSoon}
        />
      }
    >
      <ul className="divide-y divide-border">
        {list.nodes.map((macro) => (
          <MacroRow key={macro.id} macro={macro} onChanged={rereadSoon} />
        ))}
      </ul>
    </PreparedList>
  )
}

interface MacroRowProps {
  macro: FragmentOf<typeof MacroRowFragment>
  onChanged: () => void
}

function MacroRow({ macro: row, onChanged }: MacroRowProps) {
  const { t } = useTranslation('canned-responses')
  const macro = readFragment(MacroRowFragment, row)
  const [isOpen, setIsOpen] = useState(false)
  const mayChange = usePreparesForOthers() || macro.visibility === 'personal'
  return (
    <li className="flex items-center gap-3 px-4 py-3 sm:px-5">
      <Zap className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-48">
          <p className="truncate text-sm font-medium">{macro.name}</p>
          <p className="truncate text-sm text-muted">
            {macro.description ?? t('macro.actionCount', { count: readActions(macro.actions).length })}
          </p>
        </div>
        <span className="figures text-sm text-muted">{t('uses', { count: macro.uses })}</span>
        {macro.archivedAt && <Pill tone="neutral">{t('isArchived')}</Pill>}
        <AudiencePill visibility={macro.visibility} team={macro.team} />
      </div>
      {mayChange && (
        <Button size="small" aria-label={t('changeOf', { name: macro.name })} onPress={() => setIsOpen(true)}>
          {t('change')}
        </Button>
      )}
      <MacroDialog macro={macro} isOpen={isOpen} onClose={() => setIsOpen(false)} onChanged={onChanged} />
    </li>
  )
}
