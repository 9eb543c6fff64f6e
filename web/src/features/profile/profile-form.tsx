import { useMemo, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Combobox } from '../../components/combobox.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { Select } from '../../components/select.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf, type Problem } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import { renewSession, useSessionUser } from '../../lib/session.ts'
import { timeZoneChoices } from './time-zones.ts'

// NOTE: no more than this is everybody's to read; language and time zone come with the session.
const OwnIdQuery = graphql(`
  query OwnId {
    currentUser {
      id
      name
    }
  }
`)

const UpdateProfile = graphql(`
  mutation UpdateProfile($id: ID!, $patch: UserPatch!) {
    updateUser(input: { id: $id, patch: $patch }) {
      user {
        id
        name
      }
    }
  }
`)

const NAME_LIMIT = 120

export interface ProfileFormProps {
  /** The languages the screens are there in. */
  languages: readonly string[]
  onLanguage: (language: string) => void
}

/** How the person is called, and the language and the time zone they live in. */
export function ProfileForm({ languages, onLanguage }: ProfileFormProps) {
  const { t } = useTranslation(['profile', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: OwnIdQuery })
  const id = data?.currentUser?.id
  if (id) return <Form id={id} languages={languages} onLanguage={onLanguage} />
  if (error) {
    return (
      <ErrorState title={t('error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
        {t(`errors:${problemOf(error).code}`)}
      </ErrorState>
    )
  }
  return (
    <div role="status" aria-label={t('loading')} className="flex max-w-lg flex-col gap-5 p-5">
      <Skeleton className="h-11" />
      <Skeleton className="h-11" />
      <Skeleton className="h-11" />
    </div>
  )
}

function Form({ id, languages, onLanguage }: ProfileFormProps & { id: string }) {
  const { t, i18n } = useTranslation(['profile', 'errors'])
  const user = useSessionUser()
  const knownLanguage =
    languages.find((language) => language === user.locale || language === user.locale?.split('-')[0]) ?? null
  const [name, setName] = useState(user.name)
  // Who never chose one reads the language in use.
  const languageInUse = knownLanguage ?? languages.find((language) => language === i18n.language) ?? null
  const [language, setLanguage] = useState(languageInUse)
  const [timeZone, setTimeZone] = useState(user.timeZone)
  const [isSaving, setIsSaving] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [, updateProfile] = useMutation(UpdateProfile)
  const nameInput = useRef<HTMLInputElement>(null)
  const zones = useMemo(
    () => timeZoneChoices(user.timeZone, i18n.language, new Date()),
    [user.timeZone, i18n.language],
  )

  const trimmed = name.trim()
  const nameFault = trimmed === '' ? 'nameMissing' : [...trimmed].length > NAME_LIMIT ? 'nameLong' : null
  // Only what was changed is said: an untouched language goes on following the organization's.
  const patch = {
    ...(trimmed === user.name ? {} : { name: trimmed }),
    ...(language === languageInUse ? {} : { locale: language }),
    ...(timeZone === user.timeZone ? {} : { timeZone }),
  }
  const isChanged = Object.keys(patch).length > 0

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (isSaving) return
    if (nameFault) return nameInput.current?.focus()
    setProblem(null)
    if (!isChanged) return notify({ tone: 'success', title: t('unchanged') })
    setIsSaving(true)
    const { error } = await updateProfile({ id, patch })
    if (error) setProblem(problemOf(error))
    else {
      // The name beside the menu and the times on every screen come from the session.
      await renewSession()
      if (patch.locale) onLanguage(patch.locale)
      notify({ tone: 'success', title: t('saved') })
    }
    setIsSaving(false)
  }

  const languageName = (value: string) =>
    new Intl.DisplayNames(value, { type: 'language' }).of(value) ?? value
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="flex max-w-lg flex-col gap-5 p-5">
      {problem && <InlineAlert>{t(`errors:${problem.code}`)}</InlineAlert>}
      <TextField
        label={t('name')}
        description={t('nameHint')}
        name="name"
        autoComplete="name"
        value={name}
        onChange={setName}
        limit={NAME_LIMIT}
        inputRef={nameInput}
        error={nameFault && t(nameFault, { limit: NAME_LIMIT })}
      />
      <Select
        label={t('language')}
        description={t('languageHint')}
        value={language}
        placeholder={user.locale ?? ''}
        choices={languages.map((value) => ({ value, label: languageName(value) }))}
        onChange={setLanguage}
      />
      <Combobox label={t('timeZone')} value={timeZone} choices={zones} onChange={setTimeZone} />
      <Button type="submit" variant="primary" className="self-start" isPending={isSaving}>
        {t('save')}
      </Button>
    </form>
  )
}
