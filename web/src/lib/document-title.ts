import { useEffect } from 'react'

/** Names the page in the tab and in the history: "ATUM-1042 Printer on fire · ATUM Desk". */
export function useDocumentTitle(title: string | null | undefined): void {
  useEffect(() => {
    if (title) document.title = `${title} · ATUM Desk`
  }, [title])
}
