import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Avatar } from '../../components/avatar.tsx'
import { ButtonLink } from '../../components/button-link.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSessionUser } from '../../lib/session.ts'
import { peoplePlace } from './people-place.ts'
import { PersonAccess, PersonAccessFragment } from './person-access.tsx'
import { PersonApiTokens, PersonApiTokenFragment } from './person-api-tokens.tsx'
import { PersonClosing, PersonClosingFragment } from './person-closing.tsx'
import { PersonDetails, PersonDetailsFragment } from './person-details.tsx'
import { PersonSessions, PersonSessionFragment } from './person-sessions.tsx'
import { PersonSignIn, PersonSignInFragment } from './person-sign-in.tsx'
import { PersonSkills, PersonSkillsFragment } from './person-skills.tsx'
import { PersonStatePill } from './person-state-pill.tsx'
import { personState } from './person-state.ts'

const PersonQuery = graphql(
  `
    query Person($userId: UUID!) {
      users(first: 1, filter: { rowId: { equalTo: $userId } }) {
        nodes {
          id
          rowId
          name
          email
          role
          createdAt
          activatedAt
          disabledAt
          ...PersonDetails
          ...PersonAccess
          ...PersonSkills
          ...PersonSignIn
          ...PersonClosing
        }
      }
      sessionsOf(userId: $userId, first: 100) {
        nodes {
          rowId
          ...PersonSession
        }
      }
      apiTokens(first: 100, filter: { userId: { equalTo: $userId } }, orderBy: [CREATED_AT_DESC]) {
        nodes {
          id
          revokedAt
          ...PersonApiToken
        }
      }
      currentSecurityPolicy {
        id
        localLogin
        twoFactorRoles
      }
    }
  `,
  [
    PersonDetailsFragment,
    PersonAccessFragment,
    PersonSkillsFragment,
    PersonSignInFragment,
    PersonClosingFragment,
    PersonSessionFragment,
    PersonApiTokenFragment,
  ],
)

/** Everything an admin decides about one person. */
export function PersonPage({ userId }: { userId: string }) {
  const { t, i18n } = useTranslation(['people', 'app', 'errors'])
  const { id: ownId } = useSessionUser()
  const [{ data, error, fetching }, reread] = useQuery({ query: PersonQuery, variables: { userId } })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const person = data?.users.nodes[0]

  if (!person) {
    if (error) {
      return (
        <ErrorState isPage title={t('person.error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )
    }
    if (fetching || data === undefined) return <LoadingPerson label={t('person.loading')} />
    return (
      <EmptyState
        isPage
        title={t('person.notFoundTitle')}
        action={<ButtonLink to={peoplePlace()}>{t('title')}</ButtonLink>}
      >
        {t('person.notFound')}
      </EmptyState>
    )
  }

  const state = personState(person)
  const isOwn = person.rowId === ownId
  const policy = data.currentSecurityPolicy
  return (
    <>
      <PageHeader
        title={person.name}
        back={{ to: peoplePlace(), label: t('title') }}
        mark={<Avatar name={person.name} size="large" />}
        intro={
          <>
            <span className="[overflow-wrap:anywhere]">{person.email}</span> ·{' '}
            {t(`app:account.roles.${person.role}`)} ·{' '}
            {t('person.since', {
              date: new Intl.DateTimeFormat(readerLocale(i18n.language), { dateStyle: 'long' }).format(
                new Date(person.createdAt),
              ),
            })}
          </>
        }
        actions={state !== 'active' && <PersonStatePill state={state} />}
      />
      <PersonDetails person={person} isOwn={isOwn} />
      <PersonAccess person={person} isOwn={isOwn} onChanged={rereadSoon} />
      {person.role !== 'customer' && <PersonSkills person={person} />}
      <PersonSignIn
        person={person}
        isOwn={isOwn}
        isLocalLoginOff={policy?.localLogin === false}
        mustHaveTwoFactors={policy?.twoFactorRoles.includes(person.role) ?? false}
        onChanged={rereadSoon}
      />
      <PersonSessions
        userId={person.rowId}
        name={person.name}
        isOwn={isOwn}
        sessions={data.sessionsOf.nodes.filter((node) => node !== null)}
        onChanged={rereadSoon}
      />
      <PersonApiTokens
        name={person.name}
        tokens={data.apiTokens.nodes.filter((node) => node !== null && node.revokedAt === null)}
        onChanged={rereadSoon}
      />
      <PersonClosing person={person} isOwn={isOwn} onChanged={rereadSoon} />
    </>
  )
}

function LoadingPerson({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-8">
      <div className="flex items-center gap-4">
        <Skeleton className="size-11 rounded-full" />
        <div className="flex flex-1 flex-col gap-2">
          <Skeleton className="h-7 w-56 max-w-full" />
          <Skeleton className="h-4 w-72 max-w-full" />
        </div>
      </div>
      <Skeleton className="h-44 rounded-xl" />
      <Skeleton className="h-56 rounded-xl" />
    </div>
  )
}
