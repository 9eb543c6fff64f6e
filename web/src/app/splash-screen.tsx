import { useTranslation } from 'react-i18next'
import { BrandMark } from '../components/brand.tsx'

/** Before the first page is there. It appears after a moment only: most starts are faster. */
export function SplashScreen() {
  const { t } = useTranslation()
  return (
    <div role="status" aria-label={t('loading')} className="grid min-h-dvh animate-late place-items-center">
      <BrandMark className="size-14 animate-shimmer" />
    </div>
  )
}
