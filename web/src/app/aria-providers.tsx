import type { ReactNode } from 'react'
import { I18nProvider } from 'react-aria-components/I18nProvider'
import { useTranslation } from 'react-i18next'
import { readerLocale } from '../lib/reader-locale.ts'

/** Tells the accessible primitives the language and the direction of the page. */
export function AriaProviders({ children }: { children: ReactNode }) {
  const { i18n } = useTranslation()
  return <I18nProvider locale={readerLocale(i18n.language)}>{children}</I18nProvider>
}
