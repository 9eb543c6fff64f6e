import { PendingApprovals } from '../../../features/approvals/pending-approvals.tsx'
import { Inbox } from '../../../features/tickets/inbox.tsx'

/** The desk's first page. */
export function Component() {
  return (
    <>
      <PendingApprovals className="px-4 pt-5 md:px-5" />
      <Inbox />
    </>
  )
}
