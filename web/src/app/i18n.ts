import i18next, { type CustomTypeOptions } from 'i18next'
import { initReactI18next } from 'react-i18next'
import { readKept, writeKept } from '../lib/kept.ts'

export type Namespace = keyof CustomTypeOptions['resources']

/** Each room keeps its own words; a route loads those it shows. Adding `de.json` files adds German to the menu. */
const bundles = import.meta.glob<Record<string, unknown>>(
  [
    './locales/*.json',
    '../components/locales/*.json',
    '../graphql/locales/*.json',
    '../features/*/locales/*.json',
  ],
  { import: 'default' },
)

const ROOMS: Record<string, string> = {
  app: './locales',
  components: '../components/locales',
  errors: '../graphql/locales',
}
const KEPT = 'atum.language'
const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/

/** The languages every word is there for. */
export const LANGUAGES: readonly string[] = Object.keys(bundles)
  .filter((path) => path.startsWith('./locales/'))
  .map((path) => path.slice('./locales/'.length, -'.json'.length))
  .sort()

async function read(language: string, namespace: string): Promise<Record<string, unknown>> {
  const load = bundles[`${ROOMS[namespace] ?? `../features/${namespace}/locales`}/${language}.json`]
  return load ? load() : {}
}

function firstLanguage(): string {
  const wanted = [readKept(KEPT), ...navigator.languages].filter((language) => language !== null)
  for (const language of wanted) {
    const found = LANGUAGES.find(
      (candidate) => candidate === language || candidate === language.split('-')[0],
    )
    if (found) return found
  }
  return 'en'
}

// The first route begins to load before `startTranslations` is called; what it asks for then would not be loaded.
let tellStarted: () => void = () => {}
const started = new Promise<void>((resolve) => {
  tellStarted = resolve
})

/** Starts the translations; nothing is drawn before the words of the frame are there. */
export async function startTranslations(): Promise<void> {
  await i18next
    .use({ type: 'backend' as const, init: () => {}, read })
    .use(initReactI18next)
    .init({
      lng: firstLanguage(),
      fallbackLng: 'en',
      ns: ['app', 'components'] satisfies Namespace[],
      defaultNS: 'app',
      interpolation: { escapeValue: false },
      partialBundledLanguages: true,
    })
  tellStarted()
  applyLanguage()
}

/** Loads the words of a route beside its code. */
export async function loadWords(...namespaces: Namespace[]): Promise<void> {
  await started
  await i18next.loadNamespaces(namespaces)
}

/** Changes the language of the whole app and remembers it. */
export async function chooseLanguage(language: string): Promise<void> {
  writeKept(KEPT, language)
  await i18next.changeLanguage(language)
  applyLanguage()
}

/** Speaks the language of whoever a page is for, as far as there are words in it, and remembers nothing. */
export async function speakLanguage(language: string): Promise<void> {
  await started
  const found = LANGUAGES.find((candidate) => candidate === language || candidate === language.split('-')[0])
  if (found === undefined || found === i18next.language) return
  await i18next.changeLanguage(found)
  applyLanguage()
}

function applyLanguage(): void {
  document.documentElement.lang = i18next.language
  document.documentElement.dir = RIGHT_TO_LEFT.test(i18next.language) ? 'rtl' : 'ltr'
}
