import { loadWords, type Namespace } from './i18n.ts'

/** A page as a chunk of its own, loaded beside its words. */
export function page<Page>(load: () => Promise<Page>, ...words: Namespace[]): () => Promise<Page> {
  return async () => {
    const [loaded] = await Promise.all([load(), loadWords(...words)])
    return loaded
  }
}
