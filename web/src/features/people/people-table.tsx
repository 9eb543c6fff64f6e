import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Avatar } from '../../components/avatar.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { PersonStatePill } from './person-state-pill.tsx'
import { personState } from './person-state.ts'

const PersonRowFragment = graphql(`
  fragment PersonRow on User {
    id
    rowId
    name
    email
    role
    activatedAt
    disabledAt
    company {
      id
      name
    }
  }
`)

export const PeopleQuery = graphql(
  `
    query People($after: Cursor, $filter: UserFilter) {
      users(first: 50, after: $after, filter: $filter, orderBy: [NAME_ASC]) {
        nodes {
          id
          ...PersonRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [PersonRowFragment],
)

const HEAD = 'border-b border-border px-3 py-2 text-start text-xs font-medium text-muted'
const CELL = 'align-middle text-sm md:border-b md:border-border md:px-3 md:py-2.5 md:group-last:border-b-0'

export interface PeopleTableProps {
  rows: readonly (FragmentOf<typeof PersonRowFragment> & { id: string })[]
  label: string
}

/**
 * People by name. A real table; below the `md` width its rows are laid out as cards, and the explicit roles keep it a
 * table for screen readers there.
 */
export function PeopleTable({ rows, label }: PeopleTableProps) {
  const { t } = useTranslation('people')
  return (
    <table
      role="table"
      aria-label={label}
      className="block w-full border-separate border-spacing-0 md:table md:table-fixed"
    >
      <thead role="rowgroup" className="sr-only md:not-sr-only md:table-header-group">
        <tr role="row" className="md:table-row">
          <th role="columnheader" className={classNames(HEAD, 'ps-5')}>
            {t('columns.person')}
          </th>
          <th role="columnheader" className={classNames(HEAD, 'w-36')}>
            {t('columns.role')}
          </th>
          <th role="columnheader" className={classNames(HEAD, 'w-1/4')}>
            {t('columns.company')}
          </th>
          <th role="columnheader" className={classNames(HEAD, 'w-36 pe-5')}>
            {t('columns.state')}
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup" className="block md:table-row-group">
        {rows.map((row) => (
          <PersonRow key={row.id} row={row} />
        ))}
      </tbody>
    </table>
  )
}

function PersonRow({ row }: { row: FragmentOf<typeof PersonRowFragment> }) {
  const { t } = useTranslation(['people', 'app'])
  const person = readFragment(PersonRowFragment, row)
  const state = personState(person)
  return (
    <tr
      role="row"
      className="group relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1.5 border-b border-border px-4 py-3 transition-colors last:border-b-0 focus-within:bg-selected hover:bg-hover md:table-row md:border-b-0 md:p-0"
    >
      <td role="cell" className={classNames(CELL, 'col-span-2 min-w-0 md:ps-5')}>
        <span className="flex min-w-0 items-center gap-3">
          <Avatar name={person.name} />
          <span className="min-w-0">
            <Link
              to={person.rowId}
              className={classNames(
                'block truncate font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus',
                state === 'disabled' ? 'text-muted' : 'text-text',
              )}
            >
              {person.name}
            </Link>
            <span className="block truncate text-muted">{person.email}</span>
          </span>
        </span>
      </td>
      <td role="cell" className={classNames(CELL, 'order-2 ps-11')}>
        {t(`app:account.roles.${person.role}`)}
      </td>
      <td
        role="cell"
        className={classNames(
          CELL,
          'order-4 col-span-2 truncate ps-11 text-muted empty:hidden md:empty:table-cell',
        )}
      >
        {person.company?.name}
      </td>
      <td role="cell" className={classNames(CELL, 'order-3 justify-self-end md:pe-5')}>
        <PersonStatePill state={state} />
      </td>
    </tr>
  )
}
