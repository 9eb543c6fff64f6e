import { ShieldCheck, ShieldOff } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { Pill } from '../../components/pill.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import type { ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useSessionUser } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'
import { EnrolmentForm } from './enrolment.tsx'
import { ProofForm } from './proof-form.tsx'
import { RecoveryCodes } from './recovery-codes.tsx'
import { beginEnrolment, confirmEnrolment, type Enrolment } from './two-factor-requests.ts'
import { TwoFactorStatusQuery } from './two-factor-status.ts'

/** What takes the place of the status while something is under way. */
type Act =
  | { name: 'enrol'; enrolment: Enrolment }
  | { name: 'codes'; codes: string[]; notice: 'turnedOn' | 'codesMade' }
  | { name: 'proof'; purpose: 'off' | 'codes' }

/** The second factor of the signed-in person: on, off, and its recovery codes. */
export function TwoFactorSettings() {
  const { t } = useTranslation(['two-factor', 'errors'])
  const { email } = useSessionUser()
  const [{ data, error }, reread] = useQuery({ query: TwoFactorStatusQuery })
  const [act, setAct] = useState<Act | null>(null)
  const { send, isSending, problem, isWaiting } = useSubmission()
  const place = useRef<HTMLDivElement>(null)
  const rereadNow = () => reread({ requestPolicy: 'network-only' })

  // What was pressed is gone: the focus goes to what has come in its place.
  const shown = act?.name ?? 'status'
  const lastShown = useRef(shown)
  useEffect(() => {
    if (lastShown.current !== shown) place.current?.focus()
    lastShown.current = shown
  }, [shown])

  const end = () => {
    setAct(null)
    rereadNow()
  }

  if (!data) {
    return error ? (
      <ErrorState title={t('settings.error')} onRetry={rereadNow}>
        {t(`errors:${problemOf(error).code}`)}
      </ErrorState>
    ) : (
      <SkeletonRows label={t('settings.loading')} rows={1} />
    )
  }
  return (
    <div ref={place} tabIndex={-1} className="flex flex-col gap-5 p-5">
      {act === null && (
        <>
          <Status status={data.twoFactorStatus} />
          {problem && <ProblemAlert problem={problem} />}
          <div className="flex flex-wrap gap-2">
            {data.twoFactorStatus.isOn ? (
              <>
                <Button onPress={() => setAct({ name: 'proof', purpose: 'codes' })}>
                  {t('settings.newCodes')}
                </Button>
                {!data.twoFactorStatus.isRequired && (
                  <Button variant="quiet" onPress={() => setAct({ name: 'proof', purpose: 'off' })}>
                    {t('settings.turnOff')}
                  </Button>
                )}
              </>
            ) : (
              <Button
                variant="primary"
                isPending={isSending}
                isDisabled={isWaiting}
                onPress={() =>
                  void send(
                    async () => setAct({ name: 'enrol', enrolment: await beginEnrolment(null) }),
                    // Turned on in another window meanwhile.
                    (refusal) => refusal.code === 'TWO_FACTOR_ALREADY_ON' && rereadNow(),
                  )
                }
              >
                {t('settings.turnOn')}
              </Button>
            )}
          </div>
        </>
      )}
      {act?.name === 'enrol' && (
        <EnrolmentForm
          enrolment={act.enrolment}
          headings="h3"
          confirm={async (code) => {
            const { recoveryCodes } = await confirmEnrolment(code, null)
            setAct({ name: 'codes', codes: recoveryCodes, notice: 'turnedOn' })
          }}
          cancel={
            <Button variant="quiet" size="large" onPress={end}>
              {t('settings.cancel')}
            </Button>
          }
        />
      )}
      {act?.name === 'proof' && (
        <ProofForm
          purpose={act.purpose}
          onCancel={end}
          onOff={() => {
            end()
            notify({ tone: 'success', title: t('settings.turnedOff') })
          }}
          onCodes={(codes) => setAct({ name: 'codes', codes, notice: 'codesMade' })}
        />
      )}
      {act?.name === 'codes' && (
        <>
          <p className="text-muted">{t('settings.codesIntro')}</p>
          <RecoveryCodes
            codes={act.codes}
            account={email}
            action={t('settings.done')}
            onKept={() => {
              end()
              notify({ tone: 'success', title: t(`settings.${act.notice}`) })
            }}
          />
        </>
      )}
    </div>
  )
}

function Status({ status }: { status: ResultOf<typeof TwoFactorStatusQuery>['twoFactorStatus'] }) {
  const { t } = useTranslation('two-factor')
  const { isOn, isRequired, recoveryCodesLeft } = status
  const Sign = isOn ? ShieldCheck : ShieldOff
  const isShort = isOn && recoveryCodesLeft === 0
  return (
    <div className="flex items-start gap-4">
      <Sign
        className={classNames('mt-0.5 size-5 shrink-0', isOn ? 'text-success-text' : 'text-muted')}
        aria-hidden="true"
      />
      <div className="flex flex-col gap-1">
        <p>
          <Pill tone={isOn ? 'success' : 'neutral'}>{t(isOn ? 'settings.on' : 'settings.off')}</Pill>
        </p>
        <p className={classNames('text-sm', isShort ? 'text-warning-text' : 'text-muted')}>
          {!isOn
            ? t('settings.offHint')
            : isShort
              ? t('settings.noneLeft')
              : t('settings.onHint', { count: recoveryCodesLeft })}
        </p>
        {isOn && isRequired && <p className="text-sm text-muted">{t('settings.required')}</p>}
      </div>
    </div>
  )
}
