import '@fontsource-variable/instrument-sans/wght.css'
import './styles/base.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router/dom'
import { startTranslations } from './app/i18n.ts'
import { router } from './app/router.tsx'
import { nameWhatIsClipped } from './lib/clipped-title.ts'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

await startTranslations()
nameWhatIsClipped()
createRoot(root).render(
  <StrictMode>
    <RouterProvider router={router} />
  </StrictMode>,
)
