import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { isRouteErrorResponse, useRevalidator, useRouteError } from 'react-router'
import { EmptyScene } from '../../components/empty-scene.tsx'
import { buttonClasses } from '../../components/button-classes.ts'
import { useDocumentTitle } from '../../lib/document-title.ts'

/** How often an unreachable server is asked whether it is back. */
const RETRY_MS = 4_000

/** Stands in for a page that broke or could not be loaded. */
export function ProblemPage() {
  const { t } = useTranslation()
  const error = useRouteError()
  const kind = kindOf(error)
  const { revalidate } = useRevalidator()
  const title = t(kind === 'problem' ? 'problem.title' : `problem.${kind}Title`)
  useDocumentTitle(title)
  useEffect(() => {
    if (kind === 'problem') console.error(error)
    if (kind !== 'unreachable') return
    const timer = setInterval(() => void revalidate(), RETRY_MS)
    return () => clearInterval(timer)
  }, [kind, error, revalidate])
  return (
    <main
      id="content"
      className="mx-auto flex min-h-[80dvh] max-w-md flex-col items-center justify-center gap-4 px-5 text-center"
    >
      <EmptyScene className="h-24 w-auto" />
      <div role="alert" className="flex flex-col gap-3">
        <h1 className="text-2xl font-semibold">{title}</h1>
        <p className="text-muted">{t(kind === 'problem' ? 'problem.body' : `problem.${kind}Body`)}</p>
      </div>
      <button
        type="button"
        className={buttonClasses({ variant: 'primary' }, 'mt-2')}
        onClick={() => location.reload()}
      >
        {t('problem.reload')}
      </button>
    </main>
  )
}

function kindOf(error: unknown): 'unreachable' | 'outdated' | 'problem' {
  if (isRouteErrorResponse(error) && error.status === 503) return 'unreachable'
  // A chunk of the old version is gone after an update; browsers word the failure differently.
  if (error instanceof TypeError && /import|module/i.test(error.message))
    return navigator.onLine ? 'outdated' : 'unreachable'
  return 'problem'
}
