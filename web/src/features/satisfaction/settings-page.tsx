import { useCallback, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { Select } from '../../components/select.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { ScoreScale } from './score-scale.tsx'
import {
  DELAYS,
  lengthOf,
  LOW_SCORES,
  NUMBERS,
  QUESTION_LIMIT,
  readNumber,
  readQuestion,
} from './settings-draft.ts'

const SettingsFragment = graphql(`
  fragment SatisfactionSettings on CsatSetting {
    id
    isEnabled
    delayMinutes
    samplePercent
    expiresDays
    question
    lowScore
  }
`)

const SettingsQuery = graphql(
  `
    query SatisfactionSettings {
      currentCsatSettings {
        id
        ...SatisfactionSettings
      }
    }
  `,
  [SettingsFragment],
)

const UpdateSettings = graphql(
  `
    mutation UpdateSatisfactionSettings($id: ID!, $patch: CsatSettingPatch!) {
      updateCsatSetting(input: { id: $id, patch: $patch }) {
        csatSetting {
          id
          ...SatisfactionSettings
        }
      }
    }
  `,
  [SettingsFragment],
)

/** Whether and how customers are asked how it went. */
export function SatisfactionSettingsPage() {
  const { t } = useTranslation(['satisfaction', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: SettingsQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const settings = data?.currentCsatSettings
  return (
    <>
      <PageHeader title={t('settings.title')} intro={t('settings.intro')} />
      {settings ? (
        <SettingsForm settings={settings} />
      ) : error ? (
        <ErrorState title={t('settings.error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : (
        <div role="status" aria-label={t('settings.loading')}>
          <Skeleton className="h-64 rounded-xl" />
        </div>
      )}
    </>
  )
}

interface Draft {
  isEnabled: boolean
  delayMinutes: number
  lowScore: number
  question: string
  samplePercent: string
  expiresDays: string
}

function SettingsForm({ settings: held }: { settings: FragmentOf<typeof SettingsFragment> }) {
  const { t } = useTranslation('satisfaction')
  const settings = readFragment(SettingsFragment, held)
  const [changes, setChanges] = useState<Partial<Draft>>({})
  const [, updateSettings] = useMutation(UpdateSettings)
  const { send, isSending, problem, clear } = useSubmission()
  const draft: Draft = {
    ...settings,
    question: settings.question ?? '',
    samplePercent: String(settings.samplePercent),
    expiresDays: String(settings.expiresDays),
    ...changes,
  }
  const read = {
    isEnabled: draft.isEnabled,
    delayMinutes: draft.delayMinutes,
    lowScore: draft.lowScore,
    question: readQuestion(draft.question),
    samplePercent: readNumber('samplePercent', draft.samplePercent),
    expiresDays: readNumber('expiresDays', draft.expiresDays),
  }
  const isFaulty = read.question === 'long' || read.samplePercent === 'fault' || read.expiresDays === 'fault'
  const isChanged = (Object.keys(read) as (keyof typeof read)[]).some((name) => read[name] !== settings[name])

  function change(part: Partial<Draft>) {
    setChanges({ ...changes, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (read.question === 'long' || read.samplePercent === 'fault' || read.expiresDays === 'fault') return
    const { question, samplePercent, expiresDays } = read
    void send(async () => {
      dataOf(
        await updateSettings({ id: settings.id, patch: { ...read, question, samplePercent, expiresDays } }),
      )
      setChanges({})
      notify({ tone: 'success', title: t('settings.saved') })
    })
  }

  const delays = [...new Set([...DELAYS, settings.delayMinutes])].sort((one, other) => one - other)
  const lowScores = [...new Set([...LOW_SCORES, settings.lowScore])].sort()
  const question = (read.question === 'long' ? draft.question : read.question) ?? t('question')
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-8">
      <SettingsSection title={t('settings.asking.title')} intro={t('settings.asking.intro')}>
        <div className="flex flex-col gap-5 p-5">
          <Switch
            isSelected={draft.isEnabled}
            onChange={(isEnabled) => change({ isEnabled })}
            description={t('settings.enabledHint')}
          >
            {t('settings.enabled')}
          </Switch>
          <Select
            label={t('settings.delay')}
            description={t('settings.delayHint')}
            value={String(draft.delayMinutes)}
            onChange={(minutes) => change({ delayMinutes: Number(minutes) })}
            choices={delays.map((minutes) => ({ value: String(minutes), label: wait(minutes) }))}
          />
          {NUMBERS.map(({ name }) => (
            <TextField
              key={name}
              label={t(`settings.${name}.label`)}
              description={t(`settings.${name}.hint`)}
              inputMode="numeric"
              autoComplete="off"
              value={draft[name]}
              onChange={(value) => change({ [name]: value })}
              error={read[name] === 'fault' ? t(`settings.${name}.fault`) : null}
            />
          ))}
        </div>
      </SettingsSection>
      <SettingsSection title={t('settings.words.title')} intro={t('settings.words.intro')}>
        <div className="flex flex-col gap-5 p-5">
          <TextField
            label={t('settings.question')}
            description={t('settings.questionHint')}
            placeholder={t('question')}
            value={draft.question}
            onChange={(value) => change({ question: value })}
            error={read.question === 'long' ? t('settings.questionLong', { limit: QUESTION_LIMIT }) : null}
          />
          <figure className="flex flex-col gap-3">
            <figcaption className="text-sm text-muted">{t('settings.preview')}</figcaption>
            {/* To look at: what is clicked here is nobody's answer. */}
            <div
              inert
              className="flex flex-col gap-4 rounded-lg border border-dashed border-border bg-canvas p-4"
            >
              <p className="text-lg font-semibold [overflow-wrap:anywhere]">{question}</p>
              <ScoreScale label={question} value={null} onChoose={() => {}} />
            </div>
          </figure>
          <Select
            label={t('settings.lowScore')}
            description={t('settings.lowScoreHint')}
            value={String(draft.lowScore)}
            onChange={(score) => change({ lowScore: Number(score) })}
            choices={lowScores.map((score) => ({
              value: String(score),
              label: t('settings.upTo', { score }),
            }))}
          />
        </div>
      </SettingsSection>
      {problem && <ProblemAlert problem={problem} />}
      <SaveRow
        isChanged={isChanged && !isFaulty}
        isSending={isSending}
        onDiscard={() => {
          setChanges({})
          clear()
        }}
      />
    </form>
  )

  function wait(minutes: number): string {
    if (minutes === 0) return t('settings.atOnce')
    const { unit, count } = lengthOf(minutes)
    return t(`settings.wait.${unit}`, { count })
  }
}
