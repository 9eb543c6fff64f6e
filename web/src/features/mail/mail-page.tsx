import { ChevronRight } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { LookForm, LookFragment } from './look-form.tsx'
import { MAIL_KINDS } from './mail-kinds.ts'
import { TestForm } from './test-form.tsx'

const MailQuery = graphql(
  `
    query MailSettings {
      currentOrganization {
        id
        name
      }
      currentMailSettings {
        id
        ...MailLook
      }
      mailWordings(first: 100) {
        nodes {
          kind
          locale
          subject
          body
          isChanged
        }
      }
    }
  `,
  [LookFragment],
)

/** How mails look and what they say. */
export function MailPage() {
  const { t, i18n } = useTranslation(['mail', 'errors'])
  const [{ data, error }, read] = useQuery({ query: MailQuery, requestPolicy: 'cache-and-network' })
  const reread = useReread(useCallback(() => read({ requestPolicy: 'network-only' }), [read]))
  const [isOther, setIsOther] = useState(false)
  const sendsMail = useSendsMail()
  const wordings = (data?.mailWordings.nodes ?? []).filter((wording) => wording !== null)
  const replies = wordings.filter(({ kind }) => kind === 'reply')
  const sample = replies.find(({ locale }) => i18n.language.startsWith(locale)) ?? replies[0]
  const settings = data?.currentMailSettings
  return (
    <>
      <PageHeader
        title={t('title')}
        intro={t('intro')}
        actions={<ButtonLink to="/desk/admin/outbox">{t('toOutbox')}</ButtonLink>}
      />
      {!sendsMail && <InlineAlert tone="info">{t('noServer')}</InlineAlert>}
      {settings && sample ? (
        <div className="flex flex-col gap-8">
          <LookForm
            settings={settings}
            organizationName={data.currentOrganization?.name ?? ''}
            sample={{ locale: sample.locale, subject: sample.subject, body: sample.body }}
            onLook={setIsOther}
          />
          <TestForm isOther={isOther} />
          <SettingsSection title={t('wordings.title')} intro={t('wordings.intro')}>
            <ul className="divide-y divide-border">
              {MAIL_KINDS.map((kind) => {
                const changed = wordings.filter((wording) => wording.kind === kind && wording.isChanged)
                return (
                  <li key={kind}>
                    <Link
                      to={`/desk/admin/mail/${kind}`}
                      className="flex items-center gap-3 px-5 py-3.5 transition-colors hover:bg-hover"
                    >
                      <span className="flex min-w-0 flex-1 flex-col gap-0.5">
                        <span className="font-medium">{t(`kind.${kind}.name`)}</span>
                        <span className="text-sm text-muted">{t(`kind.${kind}.about`)}</span>
                      </span>
                      {changed.length > 0 && (
                        <Pill tone="accent">
                          {t('wordings.changed', {
                            languages: changed.map(({ locale }) => locale).join(', '),
                          })}
                        </Pill>
                      )}
                      <ChevronRight
                        className="size-4 shrink-0 text-faint rtl:-scale-x-100"
                        aria-hidden="true"
                      />
                    </Link>
                  </li>
                )
              })}
            </ul>
          </SettingsSection>
        </div>
      ) : error ? (
        <ErrorState title={t('error')} onRetry={reread}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : (
        <div role="status" aria-label={t('loading')}>
          <Skeleton className="h-96 rounded-xl" />
        </div>
      )}
    </>
  )
}
