import { Link2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SecretText } from '../../components/secret-text.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { accountLink } from './account-link.ts'

const HandOverLinkMutation = graphql(`
  mutation HandOverLink($userId: UUID!) {
    createAccountLink(input: { userId: $userId }) {
      accountLink {
        purpose
        token
      }
    }
  }
`)

export interface HandOverLinkProps {
  userId: string
  /** What the link will do: invite who has not come yet, or set a new password. */
  purpose: 'invitation' | 'password_reset'
  isDisabled?: boolean
}

/** Makes a link that the admin hands over by hand, where no mail reaches the person; it is shown once. */
export function HandOverLink({ userId, purpose, isDisabled = false }: HandOverLinkProps) {
  const { t } = useTranslation('people')
  const [, createAccountLink] = useMutation(HandOverLinkMutation)
  const [link, setLink] = useState<string | null>(null)
  const { send, isSending, problem } = useSubmission()

  const make = () =>
    void send(async () => {
      const made = dataOf(await createAccountLink({ userId })).createAccountLink?.accountLink
      if (made) setLink(accountLink(made, location.origin))
    })

  return (
    <div className="flex flex-col gap-2.5">
      {link ? (
        <>
          <SecretText copyLabel={t('link.copy')}>{link}</SecretText>
          <p role="status" className="text-sm text-muted">
            {t(`link.made.${purpose}`)}
          </p>
        </>
      ) : (
        <Button className="self-start" onPress={make} isPending={isSending} isDisabled={isDisabled}>
          <Link2 className="size-4" aria-hidden="true" />
          {t('link.make')}
        </Button>
      )}
      {problem && <ProblemAlert problem={problem} />}
    </div>
  )
}
