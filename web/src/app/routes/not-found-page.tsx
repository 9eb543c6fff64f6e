import { useTranslation } from 'react-i18next'
import { ButtonLink } from '../../components/button-link.tsx'
import { EmptyScene } from '../../components/empty-scene.tsx'
import { PageHeading } from '../../components/page-heading.tsx'

/** For an address that leads nowhere. */
export function NotFoundPage() {
  const { t } = useTranslation()
  return (
    <main
      id="content"
      className="mx-auto flex min-h-[80dvh] max-w-md flex-col items-center justify-center gap-4 px-5 text-center"
    >
      <EmptyScene className="h-24 w-auto" />
      <PageHeading title={t('notFound.title')}>{t('notFound.title')}</PageHeading>
      <p className="text-muted">{t('notFound.body')}</p>
      <ButtonLink to="/" variant="primary" className="mt-2">
        {t('notFound.home')}
      </ButtonLink>
    </main>
  )
}
