import { useTranslation } from 'react-i18next'

/** The first stop of the Tab key on every page. The page's `main` carries the id `content`. */
export function SkipLink() {
  const { t } = useTranslation('components')
  return (
    <a
      href="#content"
      className="fixed start-3 top-3 z-50 -translate-y-20 rounded-md bg-accent px-4 py-2 text-sm font-medium text-on-accent focus:translate-y-0"
    >
      {t('skipToContent')}
    </a>
  )
}
