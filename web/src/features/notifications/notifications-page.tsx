import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Card } from '../../components/card.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { NotificationList } from './notification-list.tsx'
import { ReadAllButton } from './read-all-button.tsx'

/** Everything the reader was told. */
export function NotificationsPage({ profilePath }: { profilePath: string }) {
  const { t } = useTranslation('notifications')
  const [show, setShow] = useState<'all' | 'unread'>('all')
  return (
    <div className="flex flex-col gap-6">
      <PageHeader
        title={t('title')}
        intro={
          <>
            {t('intro')} <TextLink to={`${profilePath}#notifications`}>{t('settings')}</TextLink>
          </>
        }
      />
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Segmented
          label={t('show')}
          value={show}
          onChange={setShow}
          segments={[
            { value: 'all', label: t('shows.all') },
            { value: 'unread', label: t('shows.unread') },
          ]}
        />
        <ReadAllButton />
      </div>
      <Card className="overflow-hidden">
        <NotificationList show={show} heading="h2" />
      </Card>
    </div>
  )
}
