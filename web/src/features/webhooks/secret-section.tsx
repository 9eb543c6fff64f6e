import { KeyRound, RotateCw } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSubmission } from '../../lib/submission.ts'
import { MadeSecret } from './made-secret.tsx'
import { makeSecret, type MadeSecret as Made } from './webhook-secret.ts'

const OVERLAPS = { day: 86_400, week: 604_800, none: 0 } as const
type Overlap = keyof typeof OVERLAPS

export interface SecretSectionProps {
  webhookId: string
  hasSecret: boolean
  previousUntil: string | null
  onMade: () => void
}

/** What calls are signed with: made here, shown once, and replaced without a moment in which nobody can check. */
export function SecretSection({ webhookId, hasSecret, previousUntil, onMade }: SecretSectionProps) {
  const { t, i18n } = useTranslation('webhooks')
  const [made, setMade] = useState<Made | null>(null)
  const [asks, setAsks] = useState(false)
  const [overlap, setOverlap] = useState<Overlap>('day')
  const { send, isSending, problem, clear } = useSubmission()

  const make = (keepPrevious?: number) =>
    send(async () => {
      setMade(await makeSecret(webhookId, keepPrevious))
      setAsks(false)
      onMade()
    })

  return (
    <SettingsSection title={t('secret.title')} intro={t('secret.intro')}>
      {made ? (
        <MadeSecret made={made} action={t('secret.kept')} onKept={() => setMade(null)} />
      ) : (
        <div className="flex flex-col gap-4 p-5">
          <div className="flex flex-wrap items-center justify-between gap-4">
            <p className="flex max-w-[52ch] min-w-0 items-start gap-2.5 text-sm text-muted">
              <KeyRound className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
              <span>
                {hasSecret ? t('secret.there') : t('secret.missing')}
                {previousUntil && (
                  <>
                    {' '}
                    {t('secret.previousUntil', {
                      until: new Intl.DateTimeFormat(readerLocale(i18n.language), {
                        dateStyle: 'medium',
                        timeStyle: 'short',
                      }).format(new Date(previousUntil)),
                    })}
                  </>
                )}
              </span>
            </p>
            <Button
              variant={hasSecret ? 'secondary' : 'primary'}
              isPending={isSending && !asks}
              onPress={() => {
                clear()
                if (hasSecret) setAsks(true)
                else void make()
              }}
            >
              {hasSecret && <RotateCw className="size-4" aria-hidden="true" />}
              {t(hasSecret ? 'secret.rotate' : 'secret.make')}
            </Button>
          </div>
          {problem && !asks && <ProblemAlert problem={problem} />}
        </div>
      )}
      <Dialog title={t('secret.rotateTitle')} isOpen={asks} onClose={() => setAsks(false)}>
        <p className="text-sm text-muted">{t('secret.rotateBody')}</p>
        <Select<Overlap>
          label={t('secret.overlap')}
          value={overlap}
          onChange={setOverlap}
          choices={(['day', 'week', 'none'] as const).map((value) => ({
            value,
            label: t(`secret.overlapOf.${value}`),
          }))}
        />
        {problem && <ProblemAlert problem={problem} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onPress={() => setAsks(false)}>{t('cancel')}</Button>
          <Button
            variant={overlap === 'none' ? 'danger' : 'primary'}
            isPending={isSending}
            onPress={() => void make(OVERLAPS[overlap])}
          >
            {t('secret.rotateAct')}
          </Button>
        </div>
      </Dialog>
    </SettingsSection>
  )
}
