import { LifeBuoy, Plus } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { ServiceDialog, ServiceDialogFragment } from './service-dialog.tsx'

const ServiceRowFragment = graphql(
  `
    fragment ServiceRow on Service {
      id
      name
      description
      archivedAt
      ...ServiceDialog
    }
  `,
  [ServiceDialogFragment],
)

const ServicesQuery = graphql(
  `
    query Services {
      services(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          archivedAt
          ...ServiceRow
        }
      }
    }
  `,
  [ServiceRowFragment],
)

/** What customers can ask for help with. */
export function ServicesPage() {
  const { t } = useTranslation(['services', 'errors'])
  const [isMaking, setIsMaking] = useState(false)
  const [{ data, error }, reread] = useQuery({ query: ServicesQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const services = (data?.services.nodes ?? [])
    .filter((node) => node !== null)
    .sort((one, other) => Number(one.archivedAt !== null) - Number(other.archivedAt !== null))
  return (
    <>
      <PageHeader
        title={t('title')}
        intro={t('intro')}
        actions={
          <Button variant="primary" onPress={() => setIsMaking(true)}>
            <Plus className="size-4" aria-hidden="true" />
            {t('make')}
          </Button>
        }
      />
      <Card className="overflow-hidden">
        {error && !data ? (
          <ErrorState title={t('listError')} onRetry={rereadSoon}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : !data ? (
          <SkeletonRows label={t('loading')} rows={5} />
        ) : services.length === 0 ? (
          <EmptyState title={t('empty.title')}>{t('empty.body')}</EmptyState>
        ) : (
          <ul aria-label={t('title')} className="divide-y divide-border">
            {services.map((service) => (
              <ServiceRow key={service.id} service={service} onChanged={rereadSoon} />
            ))}
          </ul>
        )}
      </Card>
      <ServiceDialog
        service={null}
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        onChanged={rereadSoon}
      />
    </>
  )
}

interface ServiceRowProps {
  service: FragmentOf<typeof ServiceRowFragment>
  onChanged: () => void
}

function ServiceRow({ service: row, onChanged }: ServiceRowProps) {
  const { t } = useTranslation('services')
  const service = readFragment(ServiceRowFragment, row)
  const [isOpen, setIsOpen] = useState(false)
  return (
    <li className="flex items-center gap-3 px-4 py-3 sm:px-5">
      <LifeBuoy className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2 text-sm font-medium">
          <span className="[overflow-wrap:anywhere]">{service.name}</span>
          {service.archivedAt && <Pill tone="neutral">{t('archived')}</Pill>}
        </p>
        <p className="line-clamp-2 text-sm text-muted">{service.description}</p>
      </div>
      <Button size="small" aria-label={t('changeOf', { name: service.name })} onPress={() => setIsOpen(true)}>
        {t('change')}
      </Button>
      <ServiceDialog
        service={service}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        onChanged={onChanged}
      />
    </li>
  )
}
