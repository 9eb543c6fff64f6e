import { useId, useState, type KeyboardEvent, type RefObject } from 'react'
import { useMutation, useQuery } from 'urql'
import { graphql } from '../../graphql/tada.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { cannedBeingTyped, withCanned, withCannedMark } from './canned.ts'
import { CannedList } from './canned-list.tsx'

const CannedChoicesQuery = graphql(`
  query CannedChoices($ticketId: UUID!, $words: String) {
    searchCannedResponses(ticketId: $ticketId, words: $words, first: 8) {
      nodes {
        cannedResponseId
        folder
        title
        filledBody
        uses
      }
    }
  }
`)

const UseCannedResponse = graphql(`
  mutation UseCannedResponse($cannedResponseId: UUID!, $ticketId: UUID!) {
    useCannedResponse(input: { cannedResponseId: $cannedResponseId, ticketId: $ticketId }) {
      filledBody
    }
  }
`)

export interface CannedPickerOptions {
  ticketId: string
  /** Only the team has prepared texts. */
  isOn: boolean
  onText: (text: string) => void
  textArea: RefObject<HTMLTextAreaElement | null>
}

/** Prepared texts, found by `::` and a word of them, filled in for the ticket. */
export function useCannedPicker({ ticketId, isOn, onText, textArea }: CannedPickerOptions) {
  const listId = useId()
  const [typed, setTyped] = useState<{ start: number; words: string } | null>(null)
  const [active, setActive] = useState(0)
  const words = useDebounced(typed?.words ?? '', 120)
  const [{ data, fetching }] = useQuery({
    query: CannedChoicesQuery,
    variables: { ticketId, words },
    pause: !isOn || typed === null,
    requestPolicy: 'cache-and-network',
  })
  const [, countUse] = useMutation(UseCannedResponse)
  const isOpen = isOn && typed !== null
  const offered = isOpen ? (data?.searchCannedResponses.nodes ?? []).filter((node) => node !== null) : []
  const isSettled = !fetching && words === (typed?.words ?? '')
  const optionId = (index: number) => `${listId}-${index}`

  /** To be called whenever the text or the caret has moved. */
  function follow() {
    const area = textArea.current
    if (!isOn || !area) return
    const found =
      area.selectionStart === area.selectionEnd ? cannedBeingTyped(area.value, area.selectionStart) : null
    if (found?.start === typed?.start && found?.words === typed?.words) return
    setTyped(found)
    setActive(0)
  }

  function put(next: { text: string; caret: number }) {
    onText(next.text)
    requestAnimationFrame(() => {
      const area = textArea.current
      area?.focus()
      area?.setSelectionRange(next.caret, next.caret)
    })
  }

  function pick(index: number) {
    const area = textArea.current
    const chosen = offered[index]
    if (!area || !typed || !chosen) return
    put(withCanned(area.value, typed.start, area.selectionStart, chosen.filledBody))
    setTyped(null)
    // The text is here already; that it was used is counted beside it.
    void countUse({ cannedResponseId: chosen.cannedResponseId, ticketId })
  }

  /** Whether the key was meant for the list. */
  function takesKey(event: KeyboardEvent): boolean {
    if (!isOpen || event.ctrlKey || event.metaKey) return false
    if (event.key === 'Escape') setTyped(null)
    else if (offered.length === 0) return false
    else if (event.key === 'ArrowDown') setActive((active + 1) % offered.length)
    else if (event.key === 'ArrowUp') setActive((active + offered.length - 1) % offered.length)
    else if (event.key === 'Enter' || event.key === 'Tab') pick(active)
    else return false
    event.preventDefault()
    return true
  }

  return {
    follow,
    takesKey,
    /** Begins to look for one, for those who do not know the two colons. */
    open() {
      const area = textArea.current
      if (!area) return
      const next = withCannedMark(area.value, area.selectionEnd)
      put(next)
      setTyped({ start: next.caret - 2, words: '' })
      setActive(0)
    },
    /** What tells a screen reader of the list. */
    areaProps:
      offered.length > 0
        ? ({
            'aria-autocomplete': 'list',
            'aria-controls': listId,
            'aria-activedescendant': optionId(active),
          } as const)
        : {},
    list: isOpen && (
      <CannedList
        id={listId}
        optionId={optionId}
        choices={offered}
        isSettled={isSettled}
        active={active}
        onPick={pick}
      />
    ),
  }
}
