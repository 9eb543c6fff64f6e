import { Send } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { Trans, useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { TextField } from '../../components/text-field.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { useSubmission } from '../../lib/submission.ts'

const SendTest = graphql(`
  mutation SendTestMail($toAddress: String!) {
    sendTestMail(input: { toAddress: $toAddress }) {
      result {
        id
        rowId
        toAddress
      }
    }
  }
`)

/** Sends a mail to see that mails leave and how they look: as it is saved, not as `isOther` is typed. */
export function TestForm({ isOther }: { isOther: boolean }) {
  const { t } = useTranslation('mail')
  const sendsMail = useSendsMail()
  const [address, setAddress] = useState('')
  const [isMissing, setIsMissing] = useState(false)
  const [sent, setSent] = useState<{ rowId: string; toAddress: string } | null>(null)
  const [, sendTest] = useMutation(SendTest)
  const { send, isSending, problem, clear } = useSubmission()
  // What was sent looked otherwise than what is typed.
  if (isOther && sent !== null) setSent(null)

  function submit(event: FormEvent) {
    event.preventDefault()
    const toAddress = address.trim()
    setIsMissing(!/^[^\s<>@,]+@[^\s<>@,]+$/.test(toAddress))
    if (!/^[^\s<>@,]+@[^\s<>@,]+$/.test(toAddress)) return
    setSent(null)
    void send(async () => {
      const { sendTestMail } = dataOf(await sendTest({ toAddress }))
      if (sendTestMail?.result) setSent(sendTestMail.result)
    })
  }

  return (
    <SettingsSection title={t('test.title')} intro={t('test.intro')}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-4 p-5">
        <TextField
          label={t('test.address')}
          type="email"
          autoComplete="email"
          value={address}
          onChange={(value) => {
            setAddress(value)
            setIsMissing(false)
            setSent(null)
            if (problem) clear()
          }}
          error={isMissing ? t('test.fault') : null}
        />
        {problem && <ProblemAlert problem={problem} />}
        {/* There from the beginning, so that what comes to stand in it is read out. */}
        <p role="status" className="text-sm text-muted empty:hidden">
          {isOther && t('test.unsaved')}
        </p>
        {sent && (
          <InlineAlert tone={sendsMail ? 'success' : 'info'}>
            <Trans
              t={t}
              i18nKey={sendsMail ? 'test.sent' : 'test.kept'}
              values={{ address: sent.toAddress }}
              components={{ look: <TextLink to={`/desk/admin/outbox/${sent.rowId}`}>{''}</TextLink> }}
            />
          </InlineAlert>
        )}
        <Button type="submit" className="self-start" isPending={isSending} isDisabled={isOther}>
          <Send className="size-4" aria-hidden="true" />
          {t('test.send')}
        </Button>
      </form>
    </SettingsSection>
  )
}
