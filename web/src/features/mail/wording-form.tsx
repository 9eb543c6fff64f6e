import { RotateCcw } from 'lucide-react'
import { useId, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { Pill } from '../../components/pill.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { LivePreview } from './live-preview.tsx'
import { NEEDED_VARIABLES, unknownVariables, variableWord, withVariable } from './mail-kinds.ts'

export const WordingFragment = graphql(`
  fragment WordingForm on MailWording {
    kind
    locale
    subject
    body
    builtInSubject
    isChanged
    variables
  }
`)

const SaveWording = graphql(`
  mutation SaveMailTemplate($kind: MailKind!, $locale: String!, $subject: String!, $body: String!) {
    saveMailTemplate(input: { kind: $kind, locale: $locale, subject: $subject, body: $body }) {
      result {
        id
      }
    }
  }
`)

const ResetWording = graphql(`
  mutation ResetMailTemplate($kind: MailKind!, $locale: String!) {
    resetMailTemplate(input: { kind: $kind, locale: $locale }) {
      reset
    }
  }
`)

const SUBJECT_LIMIT = 200
const BODY_LIMIT = 20_000

export interface WordingFormProps {
  wording: FragmentOf<typeof WordingFragment>
  onSaved: () => void
}

/** The words of one kind of mail in one language, and the mail they make. */
export function WordingForm({ wording: held, onSaved }: WordingFormProps) {
  const { t, i18n } = useTranslation('mail')
  const wording = readFragment(WordingFragment, held)
  const { kind, locale } = wording
  const [subject, setSubject] = useState(wording.subject)
  const [body, setBody] = useState(wording.body)
  const [wasTried, setWasTried] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const bodyField = useRef<HTMLTextAreaElement>(null)
  const variablesId = useId()
  const [, save] = useMutation(SaveWording)
  const [, reset] = useMutation(ResetWording)
  const { send, isSending, problem, clear } = useSubmission()
  const isChanged = subject !== wording.subject || body !== wording.body
  // While it is typed a variable is not whole yet.
  const unknown = (text: string) => {
    const names = wasTried ? unknownVariables(text, wording.variables) : []
    return names.length === 0
      ? null
      : t('wording.unknown', { count: names.length, names: new Intl.ListFormat(i18n.language).format(names) })
  }
  const needed = NEEDED_VARIABLES[kind]
  const isIncomplete = problem?.code === 'MAIL_VARIABLE_MISSING' && needed !== undefined
  const faults = {
    subject: !subject.trim()
      ? t('wording.subjectMissing')
      : subject.length > SUBJECT_LIMIT
        ? t('wording.tooLong')
        : unknown(subject),
    body: !body.trim()
      ? t('wording.bodyMissing')
      : body.length > BODY_LIMIT
        ? t('wording.tooLong')
        : isIncomplete
          ? t('wording.needed', { name: `{{${needed}}}` })
          : unknown(body),
  }

  function insert(name: string) {
    const field = bodyField.current
    const at = { start: field?.selectionStart ?? body.length, end: field?.selectionEnd ?? body.length }
    const { text, cursor } = withVariable(body, name, at)
    setBody(text)
    clear()
    // After the new text is in the field.
    requestAnimationFrame(() => {
      field?.focus()
      field?.setSelectionRange(cursor, cursor)
    })
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    const isUnknown = unknownVariables(`${subject} ${body}`, wording.variables).length > 0
    if (isUnknown || (faults.subject ?? faults.body)) {
      // The fields are marked with the next frame.
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
      return
    }
    void send(async () => {
      dataOf(await save({ kind, locale, subject, body }))
      notify({ tone: 'success', title: t('wording.saved') })
      onSaved()
    })
  }

  return (
    <div className="grid items-start gap-6 2xl:grid-cols-2">
      <Card>
        <form ref={form} onSubmit={submit} noValidate className="flex flex-col gap-5 p-5">
          <div className="flex flex-wrap items-center justify-between gap-3">
            <Pill tone={wording.isChanged ? 'accent' : 'neutral'}>
              {t(wording.isChanged ? 'wording.own' : 'wording.builtIn')}
            </Pill>
            {wording.isChanged && (
              <ConfirmedButton
                variant="quiet"
                size="small"
                title={t(wording.builtInSubject === null ? 'wording.removeTitle' : 'wording.resetTitle')}
                explanation={t(wording.builtInSubject === null ? 'wording.removeBody' : 'wording.resetBody')}
                action={t('wording.reset')}
                run={async () => {
                  dataOf(await reset({ kind, locale }))
                  notify({ tone: 'success', title: t('wording.wasReset') })
                  onSaved()
                }}
              >
                <RotateCcw className="size-4" aria-hidden="true" />
                {t('wording.reset')}
              </ConfirmedButton>
            )}
          </div>
          <TextField
            label={t('wording.subject')}
            description={
              kind === 'digest' || kind === 'alert' || kind === 'test'
                ? t('wording.subjectPlain')
                : t('wording.subjectHint')
            }
            autoComplete="off"
            value={subject}
            onChange={(value) => {
              setSubject(value)
              clear()
            }}
            error={faults.subject}
          />
          <TextArea
            label={t('wording.body')}
            description={t('wording.bodyHint', { link: '{{link}}' })}
            rows={14}
            limit={BODY_LIMIT}
            textAreaRef={bodyField}
            value={body}
            onChange={(value) => {
              setBody(value)
              clear()
            }}
            error={faults.body}
          />
          <div className="flex flex-col gap-2">
            <h2 id={variablesId} className="text-sm font-medium">
              {t('wording.variables')}
            </h2>
            <ul aria-labelledby={variablesId} className="flex flex-wrap gap-1.5">
              {wording.variables.map(
                (name) =>
                  name !== null && (
                    <li key={name}>
                      <Button
                        size="small"
                        onPress={() => insert(name)}
                        aria-label={t('wording.insert', {
                          name,
                          what: t(`variables.${variableWord(name)}` as 'variables.link'),
                        })}
                      >
                        <span className="font-mono text-xs">{name}</span>
                      </Button>
                    </li>
                  ),
              )}
            </ul>
          </div>
          {problem && !isIncomplete && <ProblemAlert problem={problem} />}
          <SaveRow
            isChanged={isChanged}
            isSending={isSending}
            onDiscard={() => {
              setSubject(wording.subject)
              setBody(wording.body)
              setWasTried(false)
              clear()
            }}
          />
        </form>
      </Card>
      <Card className="overflow-hidden 2xl:sticky 2xl:top-6">
        <LivePreview draft={{ kind, locale, subject, body }} />
      </Card>
    </div>
  )
}
