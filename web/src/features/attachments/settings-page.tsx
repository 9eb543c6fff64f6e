import { useCallback, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { TagField } from '../../components/tag-field.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import {
  asTyped,
  MOST_DAYS,
  MOST_FILES,
  MOST_MEGABYTES,
  readSettings,
  readType,
  TYPES_LIMIT,
  type TypedSettings,
} from './settings-draft.ts'

const SettingsFragment = graphql(`
  fragment AttachmentSettingsForm on AttachmentSetting {
    id
    maxFileBytes
    maxFilesPerComment
    allowedContentTypes
    refusedContentTypes
    retentionDays
  }
`)

const SettingsQuery = graphql(
  `
    query AttachmentSettings {
      attachmentSettings(first: 1) {
        nodes {
          id
          ...AttachmentSettingsForm
        }
      }
    }
  `,
  [SettingsFragment],
)

const UpdateSettings = graphql(
  `
    mutation UpdateAttachmentSettings($id: ID!, $patch: AttachmentSettingPatch!) {
      updateAttachmentSetting(input: { id: $id, patch: $patch }) {
        attachmentSetting {
          id
          ...AttachmentSettingsForm
        }
      }
    }
  `,
  [SettingsFragment],
)

/** What may be attached, and how long it is kept. */
export function AttachmentSettingsPage() {
  const { t } = useTranslation(['attachments', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: SettingsQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const settings = data?.attachmentSettings.nodes[0]
  return (
    <>
      <PageHeader title={t('settings.title')} intro={t('settings.intro')} />
      {settings ? (
        <SettingsForm settings={settings} />
      ) : error ? (
        <ErrorState title={t('settings.error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : data ? (
        <EmptyState title={t('settings.error')} />
      ) : (
        <div role="status" aria-label={t('loading')}>
          <Skeleton className="h-64 rounded-xl" />
        </div>
      )}
    </>
  )
}

interface Changes extends Partial<TypedSettings> {
  allowed?: string[]
  refused?: string[]
}

function SettingsForm({ settings: held }: { settings: FragmentOf<typeof SettingsFragment> }) {
  const { t, i18n } = useTranslation('attachments')
  const settings = readFragment(SettingsFragment, held)
  const [changes, setChanges] = useState<Changes>({})
  const [, updateSettings] = useMutation(UpdateSettings)
  const { send, isSending, problem, clear } = useSubmission()
  const kept = { ...settings, maxFileBytes: Number(settings.maxFileBytes) }
  const typed = { ...asTyped(kept), ...changes }
  const allowed = changes.allowed ?? kept.allowedContentTypes.filter((type) => type !== null)
  const refused = changes.refused ?? kept.refusedContentTypes.filter((type) => type !== null)
  const read = readSettings(typed)
  const isTooMany = allowed.length > TYPES_LIMIT || refused.length > TYPES_LIMIT
  const number = (value: number) => new Intl.NumberFormat(i18n.language).format(value)

  function change(part: Changes) {
    setChanges({ ...changes, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    const { maxFileBytes, maxFilesPerComment, retentionDays } = read
    if (isTooMany || maxFileBytes === 'fault' || maxFilesPerComment === 'fault' || retentionDays === 'fault')
      return
    void send(async () => {
      const patch = {
        // Only what was typed: a size of odd bytes stays what it is.
        ...(changes.megabytes === undefined ? {} : { maxFileBytes: String(maxFileBytes) }),
        maxFilesPerComment,
        retentionDays,
        allowedContentTypes: allowed,
        refusedContentTypes: refused,
      }
      dataOf(await updateSettings({ id: settings.id, patch }))
      setChanges({})
      notify({ tone: 'success', title: t('settings.saved') })
    })
  }

  const readTyped = (text: string) => {
    const value = readType(text)
    return value ? { value } : { error: t('settings.typeFault', { type: text }) }
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-8">
      <SettingsSection title={t('settings.size.title')} intro={t('settings.size.intro')}>
        <div className="flex flex-col gap-5 p-5">
          <TextField
            label={t('settings.size.label')}
            description={t('settings.size.hint', { most: number(MOST_MEGABYTES) })}
            inputMode="decimal"
            autoComplete="off"
            value={typed.megabytes}
            onChange={(megabytes) => change({ megabytes })}
            error={
              read.maxFileBytes === 'fault'
                ? t('settings.size.fault', { most: number(MOST_MEGABYTES) })
                : null
            }
          />
          <TextField
            label={t('settings.count.label')}
            description={t('settings.count.hint', { most: MOST_FILES })}
            inputMode="numeric"
            autoComplete="off"
            value={typed.files}
            onChange={(files) => change({ files })}
            error={
              read.maxFilesPerComment === 'fault' ? t('settings.count.fault', { most: MOST_FILES }) : null
            }
          />
        </div>
      </SettingsSection>
      <SettingsSection title={t('settings.types.title')} intro={t('settings.types.intro')}>
        <div className="flex flex-col gap-6 p-5">
          <TagField
            label={t('settings.allowed.label')}
            listLabel={t('settings.allowed.list')}
            description={t('settings.allowed.hint')}
            placeholder="image/*"
            values={allowed}
            onChange={(types) => change({ allowed: types })}
            read={readTyped}
          />
          <TagField
            label={t('settings.refused.label')}
            listLabel={t('settings.refused.list')}
            description={t('settings.refused.hint')}
            placeholder="application/x-msdownload"
            values={refused}
            onChange={(types) => change({ refused: types })}
            read={readTyped}
          />
        </div>
      </SettingsSection>
      <SettingsSection title={t('settings.retention.title')} intro={t('settings.retention.intro')}>
        <div className="p-5">
          <TextField
            label={t('settings.retention.label')}
            description={t('settings.retention.hint')}
            inputMode="numeric"
            autoComplete="off"
            value={typed.retentionDays}
            onChange={(retentionDays) => change({ retentionDays })}
            error={
              read.retentionDays === 'fault'
                ? t('settings.retention.fault', { most: number(MOST_DAYS) })
                : null
            }
          />
        </div>
      </SettingsSection>
      {isTooMany && <InlineAlert>{t('settings.tooManyTypes', { most: TYPES_LIMIT })}</InlineAlert>}
      {problem && <ProblemAlert problem={problem} />}
      <SaveRow
        isChanged={Object.keys(changes).length > 0}
        isSending={isSending}
        onDiscard={() => {
          setChanges({})
          clear()
        }}
      />
    </form>
  )
}
