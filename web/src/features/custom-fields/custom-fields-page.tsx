import { ArrowDown, ArrowUp, ListChecks, Plus, UsersRound, type LucideIcon } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { notify } from '../../components/toast.tsx'
import { useCustomFields, type CustomField } from '../../graphql/custom-fields.ts'
import { problemOf } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import { catchLostFocus } from '../../lib/lost-focus.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { FieldDialog } from './field-dialog.tsx'
import { conditionText } from './condition-text.ts'

const ArrangeCustomFields = graphql(`
  mutation ArrangeCustomFields($fieldIds: [UUID!]!) {
    arrangeCustomFields(input: { fieldIds: $fieldIds }) {
      customFields {
        id
        position
      }
    }
  }
`)

const RestoreCustomField = graphql(`
  mutation RestoreCustomField($fieldId: UUID!) {
    archiveCustomField(input: { fieldId: $fieldId, archived: false }) {
      customField {
        id
        archivedAt
      }
    }
  }
`)

/** What the organization asks about its tickets. */
export function CustomFieldsPage() {
  const { t } = useTranslation(['custom-fields', 'errors'])
  const { fields, error, isLoading, reread } = useCustomFields()
  const [isMaking, setIsMaking] = useState(false)
  const [, arrange] = useMutation(ArrangeCustomFields)
  const [, restore] = useMutation(RestoreCustomField)
  const asked = fields.filter(({ archivedAt }) => archivedAt === null)
  const retired = fields.filter(({ archivedAt }) => archivedAt !== null)
  const isBare = asked.length === 0 && !isLoading && !error
  const make = (
    <Button variant="primary" onPress={() => setIsMaking(true)}>
      <Plus className="size-4" aria-hidden="true" />
      {t('make')}
    </Button>
  )

  async function move(field: CustomField, by: 1 | -1) {
    const place = asked.indexOf(field)
    const order = asked.map(({ rowId }) => rowId)
    order.splice(place, 1)
    order.splice(place + by, 0, field.rowId)
    const result = await arrange({ fieldIds: order })
    if (result.error) return notify({ tone: 'danger', title: t(`errors:${problemOf(result.error).code}`) })
    reread()
    notify({
      tone: 'success',
      title: t('moved', { name: field.label, position: place + by + 1, total: asked.length }),
    })
  }

  async function takeUp(field: CustomField) {
    const result = await restore({ fieldId: field.rowId })
    if (result.error) return notify({ tone: 'danger', title: t(`errors:${problemOf(result.error).code}`) })
    reread()
    notify({ tone: 'success', title: t('restored', { name: field.label }) })
  }

  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} actions={!isBare && make} />
      <Card className="overflow-hidden">
        {error && fields.length === 0 ? (
          <ErrorState title={t('listError')} onRetry={reread}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : isLoading ? (
          <LoadingRows label={t('loadingList')} />
        ) : isBare ? (
          <EmptyState title={t('empty.title')} action={<Leaving>{make}</Leaving>}>
            {t('empty.body')}
          </EmptyState>
        ) : (
          <ul aria-label={t('title')} className="divide-y divide-border">
            {asked.map((field, place) => (
              <FieldRow key={field.id} field={field} fields={fields} onChanged={reread}>
                <Button
                  isIconOnly
                  size="small"
                  variant="quiet"
                  aria-label={t('moveUp', { name: field.label })}
                  isDisabled={place === 0}
                  onPress={() => void move(field, -1)}
                >
                  <ArrowUp className="size-4" aria-hidden="true" />
                </Button>
                <Button
                  isIconOnly
                  size="small"
                  variant="quiet"
                  aria-label={t('moveDown', { name: field.label })}
                  isDisabled={place === asked.length - 1}
                  onPress={() => void move(field, 1)}
                >
                  <ArrowDown className="size-4" aria-hidden="true" />
                </Button>
              </FieldRow>
            ))}
          </ul>
        )}
      </Card>
      {retired.length > 0 && (
        <SettingsSection title={t('retiredTitle')} intro={t('retiredHint')}>
          <ul aria-label={t('retiredTitle')} className="divide-y divide-border">
            {retired.map((field) => (
              <li key={field.id} className="flex flex-wrap items-center gap-3 py-2.5">
                <p className="min-w-0 flex-1 basis-40 text-sm">
                  <span className="font-medium">{field.label}</span>{' '}
                  <span className="text-muted">{t(`type.${field.type}`)}</span>
                </p>
                <Button
                  size="small"
                  aria-label={t('restoreOf', { name: field.label })}
                  onPress={() => void takeUp(field)}
                >
                  {t('restore')}
                </Button>
              </li>
            ))}
          </ul>
        </SettingsSection>
      )}
      <FieldDialog
        field={null}
        fields={fields}
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        onChanged={reread}
      />
    </>
  )
}

/** What goes when the first field comes, with the focus that its dialog gave back. */
function Leaving({ children }: { children: ReactNode }) {
  useEffect(() => catchLostFocus, [])
  return children
}

interface FieldRowProps {
  field: CustomField
  fields: readonly CustomField[]
  onChanged: () => void
  children: ReactNode
}

function FieldRow({ field, fields, onChanged, children }: FieldRowProps) {
  const { t, i18n } = useTranslation(['custom-fields', 'components'])
  const [isOpen, setIsOpen] = useState(false)
  // The dialog that retires the field gives the focus back to its line, which goes a moment later.
  useEffect(() => catchLostFocus, [])
  const condition = conditionText(field, fields, {
    language: readerLocale(i18n.language),
    yes: t('components:customField.yes'),
    no: t('components:customField.no'),
  })
  const signs: [LucideIcon, string][] = [
    ...(field.seenByCustomers ? [[UsersRound, t('pill.shared')] as [LucideIcon, string]] : []),
    ...(field.requiredWhen === 'never'
      ? []
      : [[ListChecks, t(`pill.${field.requiredWhen}`)] as [LucideIcon, string]]),
  ]
  return (
    <li className="flex items-center gap-2 px-4 py-3 sm:px-5">
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1.5">
        <div className="min-w-0 flex-1 basis-52">
          <p className="text-sm font-medium [overflow-wrap:anywhere]">{field.label}</p>
          <p className="text-sm text-muted [overflow-wrap:anywhere]">
            {[
              t(`type.${field.type}`),
              field.serviceIds.length === 0
                ? t('everyService')
                : t('services', { count: field.serviceIds.length }),
              ...(condition ? [t('onlyWhen', condition)] : []),
            ].join(' · ')}
          </p>
        </div>
        {signs.map(([sign, words]) => (
          <Pill key={words} tone="neutral" sign={sign}>
            {words}
          </Pill>
        ))}
      </div>
      {children}
      <Button size="small" aria-label={t('changeOf', { name: field.label })} onPress={() => setIsOpen(true)}>
        {t('change')}
      </Button>
      <FieldDialog
        field={field}
        fields={fields}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        onChanged={onChanged}
      />
    </li>
  )
}

function LoadingRows({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label}>
      {Array.from({ length: 5 }, (_, index) => (
        <div key={index} className="flex items-center gap-3 border-b border-border px-5 py-3 last:border-b-0">
          <div className="flex flex-1 flex-col gap-2">
            <Skeleton className="h-4 w-44" />
            <Skeleton className="h-3.5 w-28" />
          </div>
          <Skeleton className="h-8 w-20" />
        </div>
      ))}
    </div>
  )
}
