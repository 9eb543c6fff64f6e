import { ArrowDown, ArrowUp, FileStack, Plus, Users } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { TemplateDialog, TemplateDialogFragment } from './template-dialog.tsx'

const TemplatesQuery = graphql(
  `
    query Templates {
      ticketTemplates(first: 100, orderBy: [POSITION_ASC]) {
        nodes {
          id
          position
          archivedAt
          name
          seenByCustomers
          checklist
          service {
            id
            name
          }
          ...TemplateDialog
        }
      }
    }
  `,
  [TemplateDialogFragment],
)

const PlaceTemplate = graphql(`
  mutation PlaceTemplate($id: ID!, $patch: TicketTemplatePatch!) {
    updateTicketTemplate(input: { id: $id, patch: $patch }) {
      ticketTemplate {
        id
        position
        archivedAt
      }
    }
  }
`)

type Template = NonNullable<ResultOf<typeof TemplatesQuery>['ticketTemplates']['nodes'][number]>

/** The templates tickets begin from: in their order, changed, put away. */
export function TemplatesPage() {
  const { t } = useTranslation(['ticket-templates', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: TemplatesQuery, requestPolicy: 'cache-and-network' })
  const rereadSoon = useReread(() => reread({ requestPolicy: 'network-only' }))
  const [isMaking, setIsMaking] = useState(false)
  const [, place] = useMutation(PlaceTemplate)
  const { send, problem } = useSubmission()
  const templates = (data?.ticketTemplates.nodes ?? []).filter((node) => node !== null)

  const put = (changes: { template: Template; patch: { position?: number; archivedAt?: string | null } }[]) =>
    send(async () => {
      for (const { template, patch } of changes) dataOf(await place({ id: template.id, patch }))
      rereadSoon()
    })

  const swap = (one: Template, other: Template) =>
    void put([
      { template: one, patch: { position: other.position } },
      { template: other, patch: { position: one.position } },
    ])

  async function archive(template: Template) {
    await put([{ template, patch: { archivedAt: new Date().toISOString() } }])
    notify({
      tone: 'success',
      title: t('archived', { name: template.name }),
      action: { label: t('undo'), onPress: () => void put([{ template, patch: { archivedAt: null } }]) },
    })
  }

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
      {problem && <ProblemAlert problem={problem} />}
      <Card className="overflow-hidden">
        {error && !data ? (
          <ErrorState title={t('listError')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : !data ? (
          <SkeletonRows label={t('loading')} rows={4} />
        ) : templates.length === 0 ? (
          <EmptyState title={t('empty.title')}>{t('empty.body')}</EmptyState>
        ) : (
          <ul aria-label={t('title')} className="divide-y divide-border">
            {templates.map((template, index) => {
              const before = templates[index - 1]
              const after = templates[index + 1]
              return (
                <TemplateRow
                  key={template.id}
                  template={template}
                  onChanged={rereadSoon}
                  onUp={before ? () => swap(template, before) : null}
                  onDown={after ? () => swap(template, after) : null}
                  onArchive={() => void archive(template)}
                  onRestore={() => void put([{ template, patch: { archivedAt: null } }])}
                />
              )
            })}
          </ul>
        )}
      </Card>
      <TemplateDialog
        template={null}
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        onChanged={rereadSoon}
      />
    </>
  )
}

interface TemplateRowProps {
  template: Template
  onChanged: () => void
  onUp: (() => void) | null
  onDown: (() => void) | null
  onArchive: () => void
  onRestore: () => void
}

function TemplateRow({ template, onChanged, onUp, onDown, onArchive, onRestore }: TemplateRowProps) {
  const { t } = useTranslation('ticket-templates')
  const [isOpen, setIsOpen] = useState(false)
  const { name, service, checklist, archivedAt } = template
  const about = [
    service?.name,
    checklist.length > 0 ? t('steps', { count: checklist.length }) : undefined,
  ].filter((part) => part !== undefined)
  return (
    <li className="flex flex-wrap items-center gap-3 px-4 py-3 sm:px-5">
      <FileStack className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="min-w-0 flex-1 basis-40">
        <p className="truncate text-sm font-medium">{name}</p>
        {about.length > 0 && <p className="text-sm text-muted">{about.join(' · ')}</p>}
      </div>
      {archivedAt ? (
        <Pill tone="neutral">{t('isArchived')}</Pill>
      ) : (
        template.seenByCustomers && (
          <Pill tone="info" sign={Users}>
            {t('forCustomers')}
          </Pill>
        )
      )}
      <div className="flex items-center gap-1">
        <Button
          size="small"
          variant="quiet"
          isIconOnly
          aria-label={t('up', { name })}
          isDisabled={onUp === null}
          onPress={() => onUp?.()}
        >
          <ArrowUp className="size-4" aria-hidden="true" />
        </Button>
        <Button
          size="small"
          variant="quiet"
          isIconOnly
          aria-label={t('down', { name })}
          isDisabled={onDown === null}
          onPress={() => onDown?.()}
        >
          <ArrowDown className="size-4" aria-hidden="true" />
        </Button>
        <Button size="small" aria-label={t('changeOf', { name })} onPress={() => setIsOpen(true)}>
          {t('change')}
        </Button>
        <Button
          size="small"
          variant="quiet"
          aria-label={t(archivedAt ? 'restoreOf' : 'archiveOf', { name })}
          onPress={archivedAt ? onRestore : onArchive}
        >
          {t(archivedAt ? 'restore' : 'archive')}
        </Button>
      </div>
      <TemplateDialog
        template={template}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        onChanged={onChanged}
      />
    </li>
  )
}
