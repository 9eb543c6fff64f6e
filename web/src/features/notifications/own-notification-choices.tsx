import { RotateCcw } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Checkbox } from '../../components/checkbox.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { Select } from '../../components/select.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { isStaff, useSessionUser } from '../../lib/session.ts'

const OwnNotificationChoicesQuery = graphql(`
  query OwnNotificationChoices {
    ownNotificationChoices(first: 50) {
      nodes {
        kind
        inApp
        mail
        inBrowser
        isUsual
      }
    }
  }
`)

const ChooseNotification = graphql(`
  mutation ChooseNotification(
    $kind: NotificationKind!
    $inApp: Boolean!
    $mail: NotificationMail!
    $inBrowser: Boolean!
  ) {
    chooseNotification(input: { kind: $kind, inApp: $inApp, mail: $mail, inBrowser: $inBrowser }) {
      choice {
        kind
        inApp
        mail
        inBrowser
        isUsual
      }
    }
  }
`)

const ResetNotificationChoices = graphql(`
  mutation ResetNotificationChoices {
    resetNotificationChoices(input: {}) {
      choices {
        kind
        inApp
        mail
        inBrowser
        isUsual
      }
    }
  }
`)

type Choice = NonNullable<
  ResultOf<typeof OwnNotificationChoicesQuery>['ownNotificationChoices']['nodes'][number]
>

const COLUMNS = 'sm:grid sm:grid-cols-[minmax(0,1fr)_4rem_4rem_8rem] sm:items-center sm:gap-x-4'
const MAILS = ['immediate', 'digest', 'off'] as const

/** What the reader is told and how, each choice kept as soon as it is made. */
export function OwnNotificationChoices() {
  const { t } = useTranslation(['notifications', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: OwnNotificationChoicesQuery })
  const [, reset] = useMutation(ResetNotificationChoices)
  const choices = (data?.ownNotificationChoices.nodes ?? []).filter((node) => node !== null)

  if (!data && error) {
    return (
      <ErrorState title={t('choices.error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
        {t(`errors:${problemOf(error).code}`)}
      </ErrorState>
    )
  }
  if (!data) return <SkeletonRows label={t('choices.loading')} rows={4} />
  return (
    <>
      <div
        aria-hidden="true"
        className={classNames(
          COLUMNS,
          'hidden border-b border-border px-5 py-2 text-xs font-medium text-muted',
        )}
      >
        <span className="col-start-2 justify-self-center">{t('choices.app')}</span>
        <span className="justify-self-center">{t('choices.browser')}</span>
        <span>{t('choices.mail')}</span>
      </div>
      <ul className="divide-y divide-border">
        {choices.map((choice) => (
          <ChoiceRow key={choice.kind} choice={choice} />
        ))}
      </ul>
      {choices.some(({ isUsual }) => !isUsual) && (
        <div className="border-t border-border px-5 py-4">
          <ConfirmedButton
            title={t('choices.resetTitle')}
            explanation={t('choices.resetBody')}
            action={t('choices.reset')}
            tone="primary"
            run={async () => {
              const { error: refusal } = await reset({})
              if (refusal) throw refusal
              notify({ tone: 'success', title: t('choices.resetDone') })
            }}
          >
            <RotateCcw className="size-4" aria-hidden="true" />
            {t('choices.reset')}
          </ConfirmedButton>
        </div>
      )}
    </>
  )
}

function ChoiceRow({ choice }: { choice: Choice }) {
  const { t } = useTranslation(['notifications', 'errors'])
  const { role } = useSessionUser()
  const [{ fetching }, choose] = useMutation(ChooseNotification)
  const { kind, inApp, mail, inBrowser } = choice
  const title = t(`kinds.${kind}.title`)
  const hint = hintOf(kind, isStaff(role))

  async function change(changes: Partial<Pick<Choice, 'inApp' | 'mail' | 'inBrowser'>>) {
    const { error } = await choose({ kind, inApp, mail, inBrowser, ...changes })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
  }

  return (
    <li className={classNames(COLUMNS, 'flex flex-col gap-y-3 px-5 py-3.5')}>
      <div className="min-w-0">
        <h3 className="text-sm font-semibold">{title}</h3>
        <p className="text-sm text-muted">{t(hint)}</p>
      </div>
      <div
        role="group"
        aria-label={title}
        className="flex flex-wrap items-center gap-x-6 gap-y-1 sm:contents"
      >
        <div className="sm:justify-self-center">
          <Checkbox
            look="cell"
            aria-label={t('choices.inAppOf', { kind: title })}
            isSelected={inApp}
            isDisabled={fetching}
            onChange={(next) => void change({ inApp: next })}
          >
            {t('choices.inApp')}
          </Checkbox>
        </div>
        <div className="sm:justify-self-center">
          <Checkbox
            look="cell"
            aria-label={t('choices.inBrowserOf', { kind: title })}
            // The browser shows only what is also in the app.
            isSelected={inApp && inBrowser}
            isDisabled={fetching || !inApp}
            onChange={(next) => void change({ inBrowser: next })}
          >
            {t('choices.inBrowser')}
          </Checkbox>
        </div>
        <div className="flex items-center gap-4">
          <Select
            look="cell"
            label={t('choices.byMail')}
            value={mail}
            isDisabled={fetching}
            choices={MAILS.map((value) => ({ value, label: t(`choices.mails.${value}`) }))}
            onChange={(next) => void change({ mail: next })}
          />
        </div>
      </div>
    </li>
  )
}

const FOR_CUSTOMERS = [
  'acknowledgement',
  'reply',
  'status_changed',
  'resolved',
  'approval',
  'notice',
] as const

/** What is said of a kind: of some of them something else to customers. */
function hintOf(kind: Choice['kind'], staff: boolean) {
  const forCustomers = FOR_CUSTOMERS.find((candidate) => candidate === kind)
  return !staff && forCustomers
    ? (`kinds.${forCustomers}.customer` as const)
    : (`kinds.${kind}.staff` as const)
}
