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
import { mailboxFault } from './mailbox-fault.ts'

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

  const failing = isEnabled && state?.failingSince ? mailboxFault(null, state.lastError) : null
  const isTested = !isOther && !isUnderWay && Boolean(state?.testedAt)
  const tested =
    isTested && state?.testOutcome !== 'ok' ? mailboxFault(state!.testOutcome, state!.testDetail) : null
  // The same trouble is told once, also where reading and the test both came upon it.
  const said = new Set([failing && state?.lastError, tested && state?.testDetail].filter((words) => words))
  return (
    <SettingsSection title={t('state.title')} intro={t('state.intro')}>
      <div className="flex flex-col gap-4 p-5 text-sm">
        <p className={state?.failingSince ? 'text-danger-text' : 'text-muted'}>
          {!isEnabled ? (
            t('state.off')
          ) : state?.failingSince ? (
            <>
              {t('state.failing')} <RelativeTime at={state.failingSince} />
              {failing && failing !== tested && <>. {t(`trouble.${failing}`)}</>}
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
                  {tested === null ? (
                    <CircleCheck className="mt-0.5 size-4 shrink-0 text-success-text" aria-hidden="true" />
                  ) : (
                    <CircleX className="mt-0.5 size-4 shrink-0 text-danger-text" aria-hidden="true" />
                  )}
                  <span className="min-w-0">
                    {tested === null
                      ? t('test.works', { count: Number(state.testDetail ?? 0) || 0 })
                      : t(`trouble.${tested}`)}{' '}
                    <RelativeTime at={state.testedAt} className="text-muted" />
                  </span>
                </>
              )
            )}
          </div>
        </div>
        {said.size > 0 && (
          <details>
            <summary className="cursor-pointer rounded-sm text-muted hover:text-text">
              {t('test.raw')}
            </summary>
            {[...said].map((words) => (
              <p key={words} className="mt-2 font-mono text-xs [overflow-wrap:anywhere]">
                {words}
              </p>
            ))}
          </details>
        )}
        {problem && <ProblemAlert problem={problem} />}
      </div>
    </SettingsSection>
  )
}
