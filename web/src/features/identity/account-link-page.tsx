import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ButtonLink } from '../../components/button-link.tsx'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { useSendsMail } from '../../lib/mail.ts'
import { useSession } from '../../lib/session.ts'
import type { AccountLink, AccountLinkPurpose } from './account-links.ts'
import { AnotherLinkForm } from './another-link-form.tsx'
import { DoorPage } from './door-page.tsx'
import { useAccountLink } from './use-account-link.ts'

/** Which links lead to which page, and the words for each. */
const PAGES = { reset: ['password_reset'], invitation: ['invitation', 'email_verification'] } as const
const WORDS = {
  invitation: 'invitation',
  email_verification: 'verification',
  password_reset: 'reset',
} as const satisfies Record<AccountLinkPurpose, string>

export interface AccountLinkPageProps {
  page: keyof typeof PAGES
  token: string | null
  /** What one does with a link that is good. */
  children: (link: AccountLink) => ReactNode
}

/** The page behind a link from a mail: says whom it is about, or that it is good for nothing any more and what to do. */
export function AccountLinkPage({ page, token, children }: AccountLinkPageProps) {
  const { t } = useTranslation('identity')
  const { state, retry } = useAccountLink(token, PAGES[page])
  const sendsMail = useSendsMail()
  switch (state.status) {
    case 'reading':
      return (
        <DoorPage title={t(`${page}.title`)} step="link">
          <div role="status" aria-label={t('link.reading')} className="flex flex-col gap-4">
            <Skeleton className="h-5 w-3/4" />
            <Skeleton className="h-11" />
            <Skeleton className="h-11" />
          </div>
        </DoorPage>
      )
    case 'failed':
      return (
        <DoorPage title={t(`${page}.title`)} step="link">
          <ProblemAlert problem={state.problem} />
          <Button className="self-start" onPress={retry}>
            {t('link.retry')}
          </Button>
        </DoorPage>
      )
    case 'useless':
      return (
        <DoorPage title={t('link.uselessTitle')} intro={t(`${page}.useless`)} step="useless">
          {page === 'invitation' && sendsMail && <AnotherLinkForm />}
          <div className="flex flex-wrap gap-3">
            {page === 'reset' && (
              <ButtonLink to="/portal/forgot" variant="primary" size="large">
                {t('reset.another')}
              </ButtonLink>
            )}
            <ButtonLink to="/portal/login" size="large">
              {t('backToSignIn')}
            </ButtonLink>
          </div>
        </DoorPage>
      )
    case 'ready': {
      const { purpose, email, organization } = state.link
      return (
        <DoorPage
          title={t(`${page}.title`)}
          intro={t(`${WORDS[purpose]}.intro`, { email, organization: organization.name })}
          organization={organization.name}
          step="link"
        >
          <SignedInAlready />
          {children(state.link)}
        </DoorPage>
      )
    }
  }
}

/** A browser has one session: whoever opens a link for somebody else is told whose it takes the place of. */
function SignedInAlready() {
  const { t } = useTranslation('identity')
  const session = useSession()
  // What is true when one arrives; going on ends that session, and then there is nothing more to say.
  const [user] = useState(session.status === 'signed-in' ? session.user : null)
  if (user === null) return null
  const { name, email, organization } = user
  return (
    <InlineAlert tone="info">
      {t('link.signedInAs', { name, email, organization: organization.name })}
    </InlineAlert>
  )
}
