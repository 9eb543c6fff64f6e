import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { PageHeader } from '../../../components/page-header.tsx'
import { notify } from '../../../components/toast.tsx'
import { inboxPlace } from '../../../features/tickets/inbox-place.ts'
import { NewTicketForm } from '../../../features/tickets/new-ticket-form.tsx'

/** Where the team opens a ticket for somebody. */
export function Component() {
  const { t } = useTranslation('tickets')
  const navigate = useNavigate()
  return (
    <div className="mx-auto flex w-full max-w-2xl flex-col gap-8 px-4 pt-6 pb-24 md:px-6 lg:pt-8">
      <PageHeader
        title={t('form.team.title')}
        intro={t('form.team.intro')}
        back={{ to: inboxPlace(), label: t('ticket.back') }}
      />
      <NewTicketForm
        audience="team"
        onCreated={({ number, reference }) => {
          notify({ tone: 'success', title: t('form.team.sent', { reference }) })
          void navigate(`/desk/tickets/${number}`)
        }}
      />
    </div>
  )
}
