import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { MAIL_LANGUAGES, type MailKind } from './mail-kinds.ts'
import { WordingForm, WordingFragment } from './wording-form.tsx'

const WordingsQuery = graphql(
  `
    query MailWordings {
      mailWordings(first: 100) {
        nodes {
          kind
          locale
          isChanged
          subject
          body
          ...WordingForm
        }
      }
    }
  `,
  [WordingFragment],
)

/** What mails of one kind say, language by language. */
export function WordingPage({ kind }: { kind: MailKind }) {
  const { t, i18n } = useTranslation(['mail', 'errors'])
  const [{ data, error }, read] = useQuery({ query: WordingsQuery, requestPolicy: 'cache-and-network' })
  const reread = useReread(useCallback(() => read({ requestPolicy: 'network-only' }), [read]))
  const [locale, setLocale] = useState<string>(
    MAIL_LANGUAGES.find((language) => i18n.language.startsWith(language)) ?? 'en',
  )
  const wordings = (data?.mailWordings.nodes ?? []).filter((wording) => wording?.kind === kind)
  const wording = wordings.find((candidate) => candidate?.locale === locale)
  // Also those that came in by the API, in a language for which nothing is built in.
  const locales = [...new Set([...MAIL_LANGUAGES, ...wordings.map((each) => each?.locale ?? 'en')])]
  const languages = new Intl.DisplayNames(i18n.language, { type: 'language' })
  return (
    <>
      <PageHeader
        title={t(`kind.${kind}.name`)}
        intro={t(`kind.${kind}.about`)}
        back={{ to: '/desk/admin/mail', label: t('title') }}
        actions={
          <Segmented
            label={t('wording.language')}
            value={locale}
            onChange={setLocale}
            segments={locales.map((value) => ({ value, label: languages.of(value) ?? value }))}
          />
        }
      />
      {wording ? (
        <WordingForm
          // What is typed in one language is not that of another; what was saved begins anew.
          key={`${locale} ${String(wording.isChanged)} ${wording.subject} ${wording.body}`}
          wording={wording}
          onSaved={reread}
        />
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
