import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { told } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { sent, type AutomationDraft } from './automation-draft.ts'
import { Changes } from './changes.tsx'
import { OutcomePill } from './outcome-pill.tsx'

const DryRunAutomation = graphql(`
  mutation DryRunAutomation($input: DryRunAutomationInput!) {
    dryRunAutomation(input: $input) {
      dryRun {
        matching
        isCapped
        tickets {
          ticketId
          number
          reference
          subject
          outcome
          changes
          errorCode
        }
      }
    }
  }
`)

type Result = NonNullable<NonNullable<ResultOf<typeof DryRunAutomation>['dryRunAutomation']>['dryRun']>

export interface DryRunProps {
  draft: AutomationDraft
  /** Whether the draft says enough to be tried. */
  isReady: boolean
}

/** What a draft would do to the tickets there are. Nothing is done. */
export function DryRun({ draft, isReady }: DryRunProps) {
  const { t } = useTranslation('automations')
  const [, dryRun] = useMutation(DryRunAutomation)
  const { send, isSending, problem } = useSubmission()
  const [tried, setTried] = useState<{ result: Result; of: AutomationDraft } | null>(null)

  function tryOut() {
    const { name, conditions, actions } = sent(draft)
    void send(async () => {
      const answer = dataOf(await dryRun({ input: { kind: draft.kind, name, conditions, actions } }))
      const result = answer.dryRunAutomation?.dryRun
      if (result) setTried({ result, of: draft })
    })
  }

  return (
    <SettingsSection title={t('dryRun.title')} intro={t(`dryRun.intro.${draft.kind}`)}>
      <div className="flex flex-col gap-4 p-5">
        <Button className="self-start" onPress={tryOut} isPending={isSending} isDisabled={!isReady}>
          {t('dryRun.act')}
        </Button>
        {problem && <ProblemAlert problem={problem} />}
        <div aria-live="polite" className="empty:-mt-4">
          {tried && <Outcome result={tried.result} isOld={tried.of !== draft} />}
        </div>
      </div>
    </SettingsSection>
  )
}

function Outcome({ result, isOld }: { result: Result; isOld: boolean }) {
  const { t } = useTranslation(['automations', 'errors'])
  const tickets = result.tickets.filter((ticket) => ticket !== null)
  return (
    <div className="flex flex-col gap-3">
      <p className="text-sm">
        {result.isCapped
          ? t('dryRun.manyMatch', { count: result.matching })
          : t('dryRun.match', { count: result.matching })}
        {result.matching > tickets.length && <> {t('dryRun.shown', { count: tickets.length })}</>}
        {isOld && <span className="text-muted"> {t('dryRun.old')}</span>}
      </p>
      {tickets.length > 0 && (
        <ul className="max-h-96 divide-y divide-border overflow-auto rounded-lg border border-border">
          {tickets.map((ticket) => (
            <li
              key={ticket.ticketId}
              className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 text-sm"
            >
              <span className="min-w-0 flex-1 basis-56 truncate">
                <TextLink to={`/desk/tickets/${ticket.number}`}>{ticket.reference}</TextLink> {ticket.subject}
              </span>
              <span className="text-muted">
                {ticket.errorCode ? (
                  t(`errors:${told(ticket.errorCode)}`)
                ) : (
                  <Changes changes={ticket.changes} />
                )}
              </span>
              <OutcomePill outcome={ticket.outcome} isTrial />
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
