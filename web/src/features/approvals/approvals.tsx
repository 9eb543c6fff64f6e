import { Ban, Check, CircleHelp, Plus, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { PanelSection } from '../../components/panel-section.tsx'
import { Pill, type PillProps } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { Answer } from './answer.tsx'
import { AskApprovalDialog } from './ask-approval-dialog.tsx'

export const ApprovalsFragment = graphql(`
  fragment Approvals on Ticket {
    id
    rowId
    status
    companyId
    requesterId
    approvals(first: 50, orderBy: [REQUESTED_AT_DESC]) {
      nodes {
        id
        rowId
        question
        rule
        state
        requestedAt
        requestedBy {
          id
          name
        }
        approvers(first: 20) {
          nodes {
            id
            userId
            decision
            note
            user {
              id
              name
            }
          }
        }
      }
    }
  }
`)

const CancelApproval = graphql(`
  mutation CancelApproval($approvalId: UUID!) {
    cancelApproval(input: { approvalId: $approvalId }) {
      approval {
        id
        state
      }
    }
  }
`)

type Approval = NonNullable<ResultOf<typeof ApprovalsFragment>['approvals']['nodes'][number]>
type State = Approval['state']

const LOOKS: Record<State, Pick<PillProps, 'tone' | 'sign'>> = {
  pending: { tone: 'warning', sign: CircleHelp },
  approved: { tone: 'success', sign: Check },
  declined: { tone: 'danger', sign: X },
  cancelled: { tone: 'neutral', sign: Ban },
}

export interface ApprovalsProps {
  ticket: FragmentOf<typeof ApprovalsFragment>
  /** Who looks, to be offered the own answer. */
  userId: string | undefined
  /** Called after a change; the page reads the ticket again. */
  onChanged: () => void
}

/** What was asked for approval on a ticket, and who said what. */
export function Approvals({ ticket: part, userId, onChanged }: ApprovalsProps) {
  const { t } = useTranslation('approvals')
  const ticket = readFragment(ApprovalsFragment, part)
  const approvals = ticket.approvals.nodes.filter((node) => node !== null)
  const [isAsking, setIsAsking] = useState(false)
  const isDone = ticket.status === 'resolved' || ticket.status === 'closed'
  return (
    <>
      <PanelSection
        title={t('title')}
        count={approvals.length}
        foldsAs="approvals"
        actions={
          !isDone && (
            <Button
              variant="quiet"
              size="small"
              isIconOnly
              aria-label={t('ask')}
              onPress={() => setIsAsking(true)}
            >
              <Plus className="size-4" aria-hidden="true" />
            </Button>
          )
        }
      >
        {approvals.length > 0 && (
          <ul aria-label={t('title')} className="flex flex-col gap-4">
            {approvals.map((approval) => (
              <ApprovalEntry key={approval.id} approval={approval} userId={userId} onChanged={onChanged} />
            ))}
          </ul>
        )}
      </PanelSection>
      <AskApprovalDialog
        ticketId={ticket.rowId}
        companyId={ticket.companyId}
        requesterId={ticket.requesterId}
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        onAsked={onChanged}
      />
    </>
  )
}

interface ApprovalEntryProps {
  approval: Approval
  userId: string | undefined
  onChanged: () => void
}

function ApprovalEntry({ approval, userId, onChanged }: ApprovalEntryProps) {
  const { t } = useTranslation('approvals')
  const [, cancel] = useMutation(CancelApproval)
  const approvers = approval.approvers.nodes.filter((node) => node !== null)
  const isPending = approval.state === 'pending'
  const isAsked =
    isPending && approvers.some((approver) => approver.userId === userId && approver.decision === null)
  return (
    <li className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-muted">
        <Pill {...LOOKS[approval.state]}>{t(`state.${approval.state}`)}</Pill>
        <RelativeTime at={approval.requestedAt} />
      </div>
      <p className="text-sm whitespace-pre-line [overflow-wrap:anywhere]">{approval.question}</p>
      {approvers.length > 1 && <p className="text-sm text-muted">{t(`rule.${approval.rule}`)}</p>}
      <ul className="flex flex-col gap-1 text-sm">
        {approvers.map((approver) => (
          <li key={approver.id} className="flex items-start gap-2">
            {approver.decision === 'approved' ? (
              <Check className="mt-0.5 size-4 shrink-0 text-success-text" aria-hidden="true" />
            ) : approver.decision === 'declined' ? (
              <X className="mt-0.5 size-4 shrink-0 text-danger-text" aria-hidden="true" />
            ) : (
              <CircleHelp className="mt-0.5 size-4 shrink-0 text-faint" aria-hidden="true" />
            )}
            <span className="min-w-0 [overflow-wrap:anywhere]">
              {approver.user?.name ?? t('somebody')}
              <span className="text-muted">
                {' · '}
                {t(`decision.${approver.decision ?? 'none'}`)}
                {approver.note && `: ${approver.note}`}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {isAsked && <Answer approvalId={approval.rowId} onAnswered={onChanged} />}
      {isPending && (
        <ConfirmedButton
          size="small"
          variant="quiet"
          className="-ms-2.5 self-start"
          title={t('cancelTitle')}
          explanation={t('cancelBody')}
          action={t('cancel')}
          run={async () => {
            dataOf(await cancel({ approvalId: approval.rowId }))
            onChanged()
          }}
        >
          {t('cancel')}
        </ConfirmedButton>
      )}
    </li>
  )
}
