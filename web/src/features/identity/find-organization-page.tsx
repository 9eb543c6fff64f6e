import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { signInPath, type Door } from '../../lib/doors.ts'
import { useSubmission } from '../../lib/submission.ts'
import { DoorPage } from './door-page.tsx'
import { readLoginMethods } from './login-methods.ts'

export interface FindOrganizationPageProps {
  door: Door
  onFound: (slug: string) => void
}

/** For those whose organization has a way in of its own and who do not have its address at hand. */
export function FindOrganizationPage({ door, onFound }: FindOrganizationPageProps) {
  const { t } = useTranslation('identity')
  const [text, setText] = useState('')
  const [fault, setFault] = useState<'missing' | 'unknown' | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting } = useSubmission()

  function submit(event: FormEvent) {
    event.preventDefault()
    const slug = text.trim().toLowerCase()
    if (slug === '') {
      setFault('missing')
      input.current?.focus()
      return
    }
    void send(async () => {
      const { organization } = await readLoginMethods(slug)
      if (organization) return onFound(organization.slug)
      setFault('unknown')
      input.current?.focus()
    })
  }

  return (
    <DoorPage
      title={t('find.title')}
      intro={t('find.intro')}
      footer={
        <p>
          <TextLink to={signInPath(door, null)}>{t('backToSignIn')}</TextLink>
        </p>
      }
    >
      <form onSubmit={submit} noValidate className="flex flex-col gap-5">
        {problem && <ProblemAlert problem={problem} />}
        <TextField
          label={t('find.label')}
          description={t('find.hint')}
          name="organization"
          autoComplete="organization"
          autoCorrect="off"
          spellCheck="false"
          value={text}
          onChange={(value) => {
            setText(value)
            setFault(null)
          }}
          inputRef={input}
          error={fault && t(`find.${fault}`)}
        />
        <Button type="submit" variant="primary" size="large" isPending={isSending} isDisabled={isWaiting}>
          {t('find.go')}
        </Button>
      </form>
    </DoorPage>
  )
}
