import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { Select } from '../../components/select.tsx'
import { TextField } from '../../components/text-field.tsx'
import { problemOf, type Problem } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSessionUser } from '../../lib/session.ts'
import { endOf, EXPIRIES, type Expiry } from './expiry.ts'
import { scopeProblem, scopesFor, SCOPE_WORDS, type Scope } from './scopes.ts'

const CreateApiToken = graphql(`
  mutation CreateApiToken($name: String!, $scopes: [String]!, $expiresAt: Datetime) {
    createApiToken(input: { name: $name, scopes: $scopes, expiresAt: $expiresAt }) {
      madeApiToken {
        rowId
        secret
      }
    }
  }
`)

const NAME_LIMIT = 80

export interface NewTokenFormProps {
  onMade: (token: { name: string; secret: string }) => void
  onCancel: () => void
}

/** What a new token is for, what it may do and how long. */
export function NewTokenForm({ onMade, onCancel }: NewTokenFormProps) {
  const { t } = useTranslation(['api-tokens', 'errors'])
  const { role } = useSessionUser()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<Scope[]>(['read'])
  const [expiry, setExpiry] = useState<Expiry>('days90')
  const [wasTried, setWasTried] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [{ fetching }, createApiToken] = useMutation(CreateApiToken)
  const nameInput = useRef<HTMLInputElement>(null)
  const nameFault =
    name.trim() === '' ? 'nameMissing' : [...name.trim()].length > NAME_LIMIT ? 'nameLong' : null
  const scopeFault = scopeProblem(scopes)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (fetching) return
    setWasTried(true)
    setProblem(null)
    if (nameFault) return nameInput.current?.focus()
    if (scopeFault) return event.currentTarget.querySelector<HTMLInputElement>('[type="checkbox"]')?.focus()
    const { data, error } = await createApiToken({
      name: name.trim(),
      scopes,
      expiresAt: endOf(expiry, Date.now()),
    })
    const made = data?.createApiToken?.madeApiToken
    if (made) onMade({ name: name.trim(), secret: made.secret })
    else setProblem(error ? problemOf(error) : { code: 'UNKNOWN' })
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="flex max-w-lg flex-col gap-5">
      <h3 className="font-semibold">{t('form.title')}</h3>
      {problem && <InlineAlert>{t(`errors:${problem.code}`)}</InlineAlert>}
      <TextField
        label={t('form.name')}
        description={t('form.nameHint')}
        name="token-name"
        autoComplete="off"
        // It has just taken the place of the button that had the focus.
        autoFocus
        value={name}
        onChange={setName}
        limit={NAME_LIMIT}
        inputRef={nameInput}
        error={wasTried && nameFault ? t(`form.${nameFault}`, { limit: NAME_LIMIT }) : null}
      />
      <CheckboxGroup
        label={t('form.scopes')}
        value={scopes}
        onChange={setScopes}
        error={wasTried && scopeFault ? t(`form.scopeProblem.${scopeFault}`) : null}
      >
        {scopesFor(role).map((scope) => (
          <Checkbox key={scope} value={scope} description={t(`scopes.${SCOPE_WORDS[scope]}.hint`)}>
            {t(`scopes.${SCOPE_WORDS[scope]}.title`)}
          </Checkbox>
        ))}
      </CheckboxGroup>
      <Select
        label={t('form.expiry')}
        value={expiry}
        choices={EXPIRIES.map((value) => ({ value, label: t(`form.expiries.${value}`) }))}
        onChange={setExpiry}
        {...(expiry === 'never' ? { description: t('form.neverHint') } : {})}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" isPending={fetching}>
          {t('make')}
        </Button>
        <Button variant="quiet" onPress={onCancel}>
          {t('form.cancel')}
        </Button>
      </div>
    </form>
  )
}
