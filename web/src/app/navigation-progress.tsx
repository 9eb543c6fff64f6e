import { useTranslation } from 'react-i18next'

/** A thin golden line while the next page loads, if it takes longer than a moment. */
export function NavigationProgress({ isNavigating }: { isNavigating: boolean }) {
  const { t } = useTranslation()
  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 top-0 z-50 h-0.5">
      {isNavigating && (
        <>
          <div className="h-full origin-left animate-progress bg-sun rtl:origin-right" />
          <span className="sr-only">{t('loading')}</span>
        </>
      )}
    </div>
  )
}
