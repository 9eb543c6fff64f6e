import { Check, Minus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Card } from '../../components/card.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { graphql } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { includes, RIGHTS, ROLES } from './roles.ts'

const RoleCountsQuery = graphql(`
  query RoleCounts {
    customer: users(filter: { role: { equalTo: customer }, disabledAt: { isNull: true } }) {
      totalCount
    }
    agent: users(filter: { role: { equalTo: agent }, disabledAt: { isNull: true } }) {
      totalCount
    }
    manager: users(filter: { role: { equalTo: manager }, disabledAt: { isNull: true } }) {
      totalCount
    }
    admin: users(filter: { role: { equalTo: admin }, disabledAt: { isNull: true } }) {
      totalCount
    }
  }
`)

/** What each role may do, in words and side by side, and how many have it. */
export function RolesPage() {
  const { t } = useTranslation(['people', 'app'])
  // Without the numbers the page still says everything it is for.
  const [{ data }] = useQuery({ query: RoleCountsQuery })
  return (
    <>
      <PageHeader title={t('roles.title')} intro={t('roles.intro')} />
      <ul className="grid gap-4 sm:grid-cols-2">
        {ROLES.map((role) => (
          <li key={role}>
            <Card className="flex h-full flex-col gap-2 p-5">
              <div className="flex items-baseline justify-between gap-3">
                <h2 className="text-lg font-semibold">{t(`app:account.roles.${role}`)}</h2>
                {data && (
                  <TextLink
                    to={`/desk/admin/people?role=${role}`}
                    aria-label={t('roles.show', {
                      count: data[role].totalCount,
                      role: t(`app:account.roles.${role}`),
                    })}
                    className="figures text-sm"
                  >
                    {t('roles.count', { count: data[role].totalCount })}
                  </TextLink>
                )}
              </div>
              <p className="text-sm text-muted">{t(`roles.long.${role}`)}</p>
            </Card>
          </li>
        ))}
      </ul>
      <RightsTable />
    </>
  )
}

const CELL = 'border-b border-border py-2.5 text-sm'
const BODY_CELL = classNames(CELL, 'group-last:border-b-0')

function RightsTable() {
  const { t } = useTranslation(['people', 'app'])
  return (
    // On a narrow screen the words above have to do.
    <section aria-labelledby="rights-heading" className="hidden flex-col gap-3 sm:flex">
      <h2 id="rights-heading" className="text-lg font-semibold">
        {t('rights.title')}
      </h2>
      <Card className="relative overflow-hidden">
        <table aria-labelledby="rights-heading" className="w-full border-separate border-spacing-0">
          <thead>
            <tr>
              <th scope="col" className={classNames(CELL, 'ps-5 pe-3 text-start font-medium text-muted')}>
                {t('rights.right')}
              </th>
              {ROLES.map((role) => (
                <th
                  key={role}
                  scope="col"
                  className={classNames(CELL, 'px-2 text-center font-medium text-muted last:pe-5 sm:px-3')}
                >
                  {t(`app:account.roles.${role}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {RIGHTS.map(({ right, from }) => (
              <tr key={right} className="group">
                <th
                  scope="row"
                  className={classNames(BODY_CELL, 'min-w-44 ps-5 pe-3 text-start font-normal')}
                >
                  {t(`rights.${right}`)}
                </th>
                {ROLES.map((role) => (
                  <td key={role} className={classNames(BODY_CELL, 'px-2 text-center last:pe-5 sm:px-3')}>
                    <Mark may={includes(role, from)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
    </section>
  )
}

function Mark({ may }: { may: boolean }) {
  const { t } = useTranslation('people')
  const Sign = may ? Check : Minus
  return (
    <>
      <Sign
        className={classNames('inline size-4', may ? 'text-success-text' : 'text-faint')}
        aria-hidden="true"
      />
      <span className="sr-only">{t(may ? 'rights.yes' : 'rights.no')}</span>
    </>
  )
}
