import { Upload } from 'lucide-react'
import { useTranslation } from 'react-i18next'

/** Lies over where files land while they are held over the page. Its place has a position of its own. */
export function DropVeil() {
  const { t } = useTranslation('components')
  return (
    <div className="pointer-events-none absolute inset-0 z-10 grid animate-enter place-items-center rounded-xl border-2 border-dashed border-accent bg-accent-soft/95 p-2">
      <span className="flex items-center gap-2 font-medium text-accent-text">
        <Upload className="size-5" aria-hidden="true" />
        {t('files.drop')}
      </span>
    </div>
  )
}
