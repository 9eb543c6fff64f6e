import { useTranslation } from 'react-i18next'
import { useLocation, useNavigate } from 'react-router'
import { PageHeading } from '../../../components/page-heading.tsx'
import { notify } from '../../../components/toast.tsx'
import { NewTicketForm } from '../../../features/tickets/new-ticket-form.tsx'

/** Where a customer asks for help. */
export function Component() {
  const { t } = useTranslation('tickets')
  const navigate = useNavigate()
  const { state } = useLocation() as { state: { start?: { subject: string; body: string } } | null }
  return (
    <div className="mx-auto flex max-w-2xl flex-col gap-8">
      <div className="flex flex-col gap-1.5">
        <PageHeading title={t('form.title')} className="text-3xl">
          {t('form.title')}
        </PageHeading>
        <p className="text-muted">{t('form.intro')}</p>
      </div>
      <NewTicketForm
        start={state?.start ?? null}
        onCreated={(ticket) => {
          notify({ tone: 'success', title: t('form.sent', { reference: ticket.reference }) })
          void navigate(`/portal/tickets/${ticket.number}`)
        }}
      />
    </div>
  )
}
