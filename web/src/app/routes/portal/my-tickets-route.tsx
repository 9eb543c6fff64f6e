import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { InlineAlert } from '../../../components/inline-alert.tsx'
import { PendingApprovals } from '../../../features/approvals/pending-approvals.tsx'
import { MyTickets } from '../../../features/tickets/my-tickets.tsx'

/** The portal's first page. */
export function Component() {
  const { t } = useTranslation()
  const [parameters] = useSearchParams()
  return (
    <div className="flex flex-col gap-6">
      {parameters.get('from') === 'desk' && (
        <InlineAlert tone="info">{t('portal.deskIsForStaff')}</InlineAlert>
      )}
      <PendingApprovals />
      <MyTickets />
    </div>
  )
}
