import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import type { UserRole } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'
import { CompanyField, type Company } from './company-field.tsx'
import { RoleField } from './role-field.tsx'
import { TeamsField } from './teams-field.tsx'

export const PersonAccessFragment = graphql(`
  fragment PersonAccess on User {
    id
    rowId
    name
    role
    restrictedToTeams
    managesCompany
    company {
      id
      rowId
      name
    }
    teamMembers(first: 100) {
      nodes {
        id
        teamId
      }
    }
  }
`)

const UpdatePersonAccess = graphql(
  `
    mutation UpdatePersonAccess($id: ID!, $patch: UserPatch!) {
      updateUser(input: { id: $id, patch: $patch }) {
        user {
          id
          updatedAt
          ...PersonAccess
        }
      }
    }
  `,
  [PersonAccessFragment],
)

const SetUserTeams = graphql(
  `
    mutation SetUserTeams($userId: UUID!, $teamIds: [UUID]!) {
      setUserTeams(input: { userId: $userId, teamIds: $teamIds }) {
        user {
          id
          ...PersonAccess
        }
      }
    }
  `,
  [PersonAccessFragment],
)

interface Access {
  role: UserRole
  company: Company | null
  teamIds: string[]
  restrictedToTeams: boolean
  managesCompany: boolean
}

export interface PersonAccessProps {
  person: FragmentOf<typeof PersonAccessFragment>
  isOwn: boolean
  onChanged: () => void
}

/** What somebody may do and see: role, company, teams. Saved together; another role is asked about first. */
export function PersonAccess({ person, isOwn, onChanged }: PersonAccessProps) {
  const { t } = useTranslation(['people', 'app'])
  const { id, rowId, name, role, company, restrictedToTeams, managesCompany, teamMembers } = readFragment(
    PersonAccessFragment,
    person,
  )
  const saved: Access = {
    role,
    company,
    restrictedToTeams,
    managesCompany,
    teamIds: teamMembers.nodes.filter((node) => node !== null).map((member) => member.teamId),
  }
  const [edits, setEdits] = useState<Partial<Access>>({})
  const [asks, setAsks] = useState(false)
  const [, updateUser] = useMutation(UpdatePersonAccess)
  const [, setUserTeams] = useMutation(SetUserTeams)
  const { send, isSending, problem, clear } = useSubmission()
  const wanted = { ...saved, ...edits }
  const isRoleChanged = wanted.role !== saved.role
  const isPersonChanged =
    isRoleChanged ||
    wanted.company?.rowId !== saved.company?.rowId ||
    wanted.restrictedToTeams !== saved.restrictedToTeams ||
    wanted.managesCompany !== saved.managesCompany
  const areTeamsChanged = sorted(wanted.teamIds) !== sorted(saved.teamIds)

  function edit(part: Partial<Access>) {
    setEdits({ ...edits, ...part })
    if (problem) clear()
  }

  const save = () =>
    void send(
      async () => {
        // Teams first: who is at once restricted to them must not for a moment see nothing.
        if (areTeamsChanged) dataOf(await setUserTeams({ userId: rowId, teamIds: wanted.teamIds }))
        if (isPersonChanged) {
          const patch = {
            companyId: wanted.company?.rowId ?? null,
            restrictedToTeams: wanted.restrictedToTeams,
            managesCompany: wanted.managesCompany,
            // The own role is not even sent: nobody changes it.
            ...(isRoleChanged ? { role: wanted.role } : {}),
          }
          dataOf(await updateUser({ id, patch }))
        }
        setEdits({})
        setAsks(false)
        notify({ tone: 'success', title: t('access.saved') })
        onChanged()
      },
      () => setAsks(false),
    )

  function submit(event: FormEvent) {
    event.preventDefault()
    if (isRoleChanged) setAsks(true)
    else save()
  }

  return (
    <SettingsSection title={t('access.title')} intro={t('access.intro')}>
      <form onSubmit={submit} className="flex flex-col gap-6 p-5">
        <RoleField
          value={wanted.role}
          onChange={(next) => edit({ role: next })}
          isDisabled={isOwn}
          {...(isOwn ? { description: t('access.ownRole') } : {})}
        />
        {wanted.role === 'customer' ? (
          <CompanyField
            value={wanted.company}
            // Who decided for one company does not decide for another by themselves.
            onChange={(next) =>
              edit({
                company: next,
                managesCompany: next?.rowId === saved.company?.rowId && saved.managesCompany,
              })
            }
            note={t('access.olderTickets')}
          />
        ) : (
          <TeamsField value={wanted.teamIds} onChange={(teamIds) => edit({ teamIds })} />
        )}
        {wanted.role === 'customer' && wanted.company && (
          <Switch
            isSelected={wanted.managesCompany}
            onChange={(next) => edit({ managesCompany: next })}
            description={t('access.managesCompanyHint')}
          >
            {t('access.managesCompany', { company: wanted.company.name })}
          </Switch>
        )}
        {wanted.role === 'agent' && (
          <Switch
            isSelected={wanted.restrictedToTeams}
            onChange={(next) => edit({ restrictedToTeams: next })}
            description={t('access.restrictedHint')}
          >
            {t('access.restricted')}
          </Switch>
        )}
        {problem && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={isPersonChanged || areTeamsChanged}
          isSending={isSending}
          onDiscard={() => {
            setEdits({})
            clear()
          }}
        />
      </form>
      <ConfirmDialog
        title={t('access.roleTitle', { name, role: t(`app:account.roles.${wanted.role}`) })}
        action={t('access.changeRole')}
        tone="primary"
        isOpen={asks}
        isPending={isSending}
        onClose={() => setAsks(false)}
        onConfirm={save}
      >
        <p>{t(`roles.short.${wanted.role}`)}</p>
        <p>{t('access.roleBody', { name })}</p>
      </ConfirmDialog>
    </SettingsSection>
  )
}

const sorted = (ids: readonly string[]) => [...ids].sort().join()
