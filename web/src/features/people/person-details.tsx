import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { renewSession } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'
import { emailFault, NAME_LIMIT, nameFault } from './invitation-draft.ts'
import { SaveRow } from '../../components/save-row.tsx'

export const PersonDetailsFragment = graphql(`
  fragment PersonDetails on User {
    id
    name
    email
  }
`)

const UpdatePersonDetails = graphql(
  `
    mutation UpdatePersonDetails($id: ID!, $patch: UserPatch!) {
      updateUser(input: { id: $id, patch: $patch }) {
        user {
          id
          updatedAt
          ...PersonDetails
        }
      }
    }
  `,
  [PersonDetailsFragment],
)

export interface PersonDetailsProps {
  person: FragmentOf<typeof PersonDetailsFragment>
  isOwn: boolean
}

/** How somebody is called and where mail reaches them. */
export function PersonDetails({ person, isOwn }: PersonDetailsProps) {
  const { t } = useTranslation('people')
  const saved = readFragment(PersonDetailsFragment, person)
  const [edits, setEdits] = useState<{ name?: string; email?: string }>({})
  const [, updateUser] = useMutation(UpdatePersonDetails)
  const { send, isSending, problem, clear } = useSubmission()
  const nameInput = useRef<HTMLInputElement>(null)
  const emailInput = useRef<HTMLInputElement>(null)
  const name = edits.name ?? saved.name
  const email = edits.email ?? saved.email
  const wrongName = nameFault(name)
  const wrongEmail = emailFault(email)
  const isTaken = problem?.code === 'CONFLICT' || problem?.code === 'ADDRESS_TAKEN'
  const isChanged = name.trim() !== saved.name || email.trim() !== saved.email

  function edit(part: typeof edits) {
    setEdits({ ...edits, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (wrongName) return nameInput.current?.focus()
    if (wrongEmail) return emailInput.current?.focus()
    void send(async () => {
      dataOf(await updateUser({ id: saved.id, patch: { name: name.trim(), email: email.trim() } }))
      setEdits({})
      if (isOwn) await renewSession()
      notify({ tone: 'success', title: t('details.saved') })
    })
  }

  return (
    <SettingsSection title={t('details.title')} intro={t('details.intro')}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-5 p-5">
        <div className="grid gap-5 sm:grid-cols-2">
          <TextField
            label={t('name')}
            autoComplete="off"
            value={name}
            onChange={(value) => edit({ name: value })}
            limit={NAME_LIMIT}
            inputRef={nameInput}
            error={wrongName ? t(`nameFault.${wrongName}`) : null}
          />
          <TextField
            label={t('email')}
            type="email"
            inputMode="email"
            autoComplete="off"
            value={email}
            onChange={(value) => edit({ email: value })}
            inputRef={emailInput}
            error={isTaken ? t('emailFault.taken') : wrongEmail ? t(`emailFault.${wrongEmail}`) : null}
          />
        </div>
        {problem && !isTaken && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={isChanged}
          isSending={isSending}
          onDiscard={() => {
            setEdits({})
            clear()
          }}
        />
      </form>
    </SettingsSection>
  )
}
