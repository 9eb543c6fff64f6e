import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { TagField } from '../../components/tag-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { readSkill } from '../../lib/skills.ts'
import { useSubmission } from '../../lib/submission.ts'

export const PersonSkillsFragment = graphql(`
  fragment PersonSkills on User {
    id
    skills
  }
`)

const UpdatePersonSkills = graphql(
  `
    mutation UpdatePersonSkills($id: ID!, $skills: [String]!) {
      updateUser(input: { id: $id, patch: { skills: $skills } }) {
        user {
          id
          updatedAt
          ...PersonSkills
        }
      }
    }
  `,
  [PersonSkillsFragment],
)

/** What an agent knows: tickets of a service that asks for it go to them by themselves. */
export function PersonSkills({ person }: { person: FragmentOf<typeof PersonSkillsFragment> }) {
  const { t } = useTranslation('people')
  const { id, skills } = readFragment(PersonSkillsFragment, person)
  const saved = skills.filter((skill) => skill !== null)
  const [edited, setEdited] = useState<string[] | null>(null)
  const [, updateSkills] = useMutation(UpdatePersonSkills)
  const { send, isSending, problem, clear } = useSubmission()
  const values = edited ?? saved

  function submit(event: FormEvent) {
    event.preventDefault()
    void send(async () => {
      dataOf(await updateSkills({ id, skills: values }))
      setEdited(null)
      notify({ tone: 'success', title: t('skills.saved') })
    })
  }

  return (
    <SettingsSection title={t('skills.title')} intro={t('skills.intro')}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-5 p-5">
        <TagField
          label={t('skills.add')}
          listLabel={t('skills.title')}
          values={values}
          onChange={(next) => {
            setEdited(next)
            clear()
          }}
          read={(text) => readSkill(text) ?? { error: t('skills.fault') }}
        />
        {problem && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={JSON.stringify(values) !== JSON.stringify(saved)}
          isSending={isSending}
          onDiscard={() => {
            setEdited(null)
            clear()
          }}
        />
      </form>
    </SettingsSection>
  )
}
