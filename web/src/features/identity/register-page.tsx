import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { ButtonLink } from '../../components/button-link.tsx'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { signInPath } from '../../lib/doors.ts'
import { useSubmission } from '../../lib/submission.ts'
import { register } from './account-links.ts'
import { DoorPage } from './door-page.tsx'
import { emailProblem } from './email.ts'
import type { LoginMethods } from './login-methods.ts'
import { MailSent } from './mail-sent.tsx'

export interface RegisterPageProps {
  slug: string
  /** How the organization lets people in; null when it could not be asked. */
  methods: LoginMethods | null
  onRetryMethods: () => void
}

/** A customer makes an account where the organization is open to that. */
export function RegisterPage({ slug, methods, onRetryMethods }: RegisterPageProps) {
  const { t } = useTranslation('identity')
  const [sentTo, setSentTo] = useState<string | null>(null)
  const organization = methods?.organization
  if (methods === null) {
    return (
      <DoorPage title={t('register.title')}>
        <InlineAlert>{t('methodsProblem')}</InlineAlert>
        <Button className="self-start" onPress={onRetryMethods}>
          {t('methodsRetry')}
        </Button>
      </DoorPage>
    )
  }
  if (!organization || !methods.registration || !methods.mail) {
    return (
      <DoorPage
        title={t('register.closedTitle')}
        intro={t(methods.registration ? 'register.noMail' : 'register.closed')}
        organization={organization?.name}
      >
        <ButtonLink to={signInPath('portal', organization?.slug ?? null)} size="large" className="self-start">
          {t('backToSignIn')}
        </ButtonLink>
      </DoorPage>
    )
  }
  if (sentTo !== null) {
    return (
      <DoorPage title={t('mailSent.title')} organization={organization.name} step="sent">
        <MailSent signInPath={signInPath('portal', slug)}>{t('register.sent', { email: sentTo })}</MailSent>
      </DoorPage>
    )
  }
  return (
    <DoorPage
      title={t('register.title')}
      intro={t('register.intro')}
      organization={organization.name}
      step="form"
      footer={
        <p>
          {t('register.known')} <TextLink to={signInPath('portal', slug)}>{t('signIn')}</TextLink>
        </p>
      }
    >
      <RegisterForm slug={organization.slug} onSent={setSentTo} />
    </DoorPage>
  )
}

function RegisterForm({ slug, onSent }: { slug: string; onSent: (email: string) => void }) {
  const { t } = useTranslation('identity')
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const nameInput = useRef<HTMLInputElement>(null)
  const emailInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting } = useSubmission()
  const isUnnamed = name.trim() === ''
  const emailFault = emailProblem(email)

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (isUnnamed) return nameInput.current?.focus()
    if (emailFault) return emailInput.current?.focus()
    void send(async () => {
      await register(slug, { email: email.trim(), name: name.trim() })
      onSent(email.trim())
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {problem && <ProblemAlert problem={problem} />}
      <TextField
        label={t('name')}
        name="name"
        autoComplete="name"
        value={name}
        onChange={setName}
        inputRef={nameInput}
        error={wasTried && isUnnamed ? t('nameMissing') : null}
      />
      <TextField
        label={t('email')}
        description={t('register.emailHint')}
        type="email"
        name="email"
        autoComplete="username"
        inputMode="email"
        value={email}
        onChange={setEmail}
        inputRef={emailInput}
        error={wasTried && emailFault ? t(`emailProblem.${emailFault}`) : null}
      />
      <Button type="submit" variant="primary" size="large" isPending={isSending} isDisabled={isWaiting}>
        {t('register.send')}
      </Button>
    </form>
  )
}
