import { CloudAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from './button.tsx'
import { StateHeading } from './state-heading.tsx'

export interface ErrorStateProps {
  title: string
  children?: ReactNode
  onRetry?: () => void
  isPage?: boolean
}

/** Says what went wrong in a place where something should have been, and offers to try again. */
export function ErrorState({ title, children, onRetry, isPage }: ErrorStateProps) {
  const { t } = useTranslation('components')
  return (
    <div role="alert" className="mx-auto flex max-w-md flex-col items-center gap-3 px-4 py-14 text-center">
      <span className="grid size-12 place-items-center rounded-full bg-danger-soft text-danger-text">
        <CloudAlert className="size-6" aria-hidden="true" />
      </span>
      <StateHeading isPage={isPage}>{title}</StateHeading>
      {children && <p className="text-muted">{children}</p>}
      {onRetry && (
        <Button onPress={onRetry} className="mt-2">
          {t('tryAgain')}
        </Button>
      )}
    </div>
  )
}
