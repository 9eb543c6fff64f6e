import { CircleCheck, CircleX } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Spinner } from '../../components/spinner.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'

export const MailboxFindingsFragment = graphql(`
  fragment MailboxFindings on MailboxState {
    id
    lastFetchedAt
    failingSince
    lastError
    testRequestedAt
    testedAt
    testOutcome
    testDetail
  }
`)

const StateQuery = graphql(
  `
    query MailboxState($mailboxId: UUID!) {
      mailboxes(first: 1, filter: { rowId: { equalTo: $mailboxId } }) {
        nodes {
          id
          mailboxState {
            id
            ...MailboxFindings
          }
        }
      }
    }
  `,
  [MailboxFindingsFragment],
)

const TestMailbox = graphql(
  `
    mutation TestMailbox($mailboxId: UUID!) {
      testMailbox(input: { mailboxId: $mailboxId }) {
        mailboxState {
          id
          ...MailboxFindings
        }
      }
    }
  `,
  [MailboxFindingsFragment],
)

const whileTestedMilliseconds = 700
const otherwiseMilliseconds = 10_000
const OUTCOMES = [
  'ok',
  'unreachable',
  'certificate',
  'refused',
  'no_folder',
  'no_secret',
  'token_refused',
  'failed',
] as const

export interface ConnectionTestProps {
  mailboxId: string
  isEnabled: boolean
  /** Another connection is typed than the one that is saved and was tried. */
  isOther: boolean
}

/** How it goes with a mailbox, and a try of its connection with what is saved. */
export function ConnectionTest({ mailboxId, isEnabled, isOther }: ConnectionTestProps) {
  const { t } = useTranslation('mailboxes')
  const [{ data }, reread] = useQuery({
    query: StateQuery,
    variables: { mailboxId },
    requestPolicy: 'cache-and-network',
  })
  const [, testMailbox] = useMutation(TestMailbox)
  const { send, isSending, problem } = useSubmission()
  const found = data?.mailboxes.nodes[0]?.mailboxState
  const state = found && readFragment(MailboxFindingsFragment, found)
  const isUnderWay = Boolean(state?.testRequestedAt && !state.testedAt)

  // The worker writes down what it finds.
  useEffect(() => {
    const timer = setInterval(
      () => reread({ requestPolicy: 'network-only' }),
      isUnderWay ? whileTestedMilliseconds : otherwiseMilliseconds,
    )
    return () => clearInterval(timer)
  }, [isUnderWay, reread])

  const outcome = OUTCOMES.find((word) => word === state?.testOutcome) ?? 'failed'
  return (
    <SettingsSection title={t('state.title')} intro={t('state.intro')}>
      <div className="flex flex-col gap-4 p-5 text-sm">
        <p className={state?.failingSince ? 'text-danger-text' : 'text-muted'}>
          {!isEnabled ? (
            t('state.off')
          ) : state?.failingSince ? (
            <>
              {t('state.failing')} <RelativeTime at={state.failingSince} />
              {'. '}
              <span className="[overflow-wrap:anywhere]">{state.lastError}</span>
            </>
          ) : state?.lastFetchedAt ? (
            <>
              {t('state.fetched')} <RelativeTime at={state.lastFetchedAt} />
            </>
          ) : (
            t('state.waiting')
          )}
        </p>
        <div className="flex flex-wrap items-center gap-3">
          <Button
            isPending={isSending || isUnderWay}
            isDisabled={isOther}
            onPress={() =>
              void send(async () => {
                dataOf(await testMailbox({ mailboxId }))
              })
            }
          >
            {t('test.act')}
          </Button>
          <div role="status" className="flex min-w-0 flex-1 basis-60 items-start gap-2">
            {isOther ? (
              <span className="text-muted">{t('test.unsaved')}</span>
            ) : isUnderWay ? (
              <>
                <Spinner className="mt-0.5 size-4" />
                {t('test.underWay')}
              </>
            ) : (
              state?.testedAt && (
                <>
                  {outcome === 'ok' ? (
                    <CircleCheck className="mt-0.5 size-4 shrink-0 text-success-text" aria-hidden="true" />
                  ) : (
                    <CircleX className="mt-0.5 size-4 shrink-0 text-danger-text" aria-hidden="true" />
                  )}
                  <span className="min-w-0 [overflow-wrap:anywhere]">
                    {t(`test.outcome.${outcome}`, { count: Number(state.testDetail ?? 0) || 0 })}{' '}
                    {outcome !== 'ok' && state.testDetail && (
                      <span className="text-muted">{state.testDetail}</span>
                    )}{' '}
                    <RelativeTime at={state.testedAt} className="text-muted" />
                  </span>
                </>
              )
            )}
          </div>
        </div>
        {problem && <ProblemAlert problem={problem} />}
      </div>
    </SettingsSection>
  )
}
