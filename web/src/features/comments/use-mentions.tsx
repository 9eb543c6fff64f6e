import { useId, useState, type KeyboardEvent, type RefObject } from 'react'
import { useQuery } from 'urql'
import { graphql } from '../../graphql/tada.ts'
import { MentionList } from './mention-list.tsx'
import { matching, mentionBeingTyped, mentionedIn, withMention, type Mentionable } from './mentions.ts'

const MentionChoicesQuery = graphql(`
  query MentionChoices($ticketId: UUID!) {
    tickets(first: 1, filter: { rowId: { equalTo: $ticketId } }) {
      nodes {
        id
        assigneeId
        requesterId
        team {
          id
          teamMembers(first: 100) {
            nodes {
              id
              userId
            }
          }
        }
      }
    }
    users(
      first: 100
      filter: { role: { in: [agent, manager, admin] }, disabledAt: { isNull: true } }
      orderBy: [NAME_ASC]
    ) {
      nodes {
        id
        rowId
        name
        role
        restrictedToTeams
      }
    }
  }
`)

/** As many names as one reads at once. */
const SHOWN = 6

export interface MentionsOptions {
  ticketId: string
  /** Only the team calls colleagues. */
  isOn: boolean
  text: string
  onText: (text: string) => void
  textArea: RefObject<HTMLTextAreaElement | null>
}

/** Colleagues called by `@` and their name: whoever may see the ticket is offered, and watches it once the text is sent. */
export function useMentions({ ticketId, isOn, text, onText, textArea }: MentionsOptions) {
  const listId = useId()
  const [typed, setTyped] = useState<{ start: number; words: string } | null>(null)
  const [active, setActive] = useState(0)
  const [{ data }] = useQuery({
    query: MentionChoicesQuery,
    variables: { ticketId },
    pause: !isOn || !text.includes('@'),
  })
  const ticket = data?.tickets.nodes[0]
  const people: Mentionable[] = (data?.users.nodes ?? [])
    .filter((user) => user !== null)
    .filter(
      (user) =>
        user.role !== 'agent' ||
        !user.restrictedToTeams ||
        [ticket?.assigneeId, ticket?.requesterId].includes(user.rowId) ||
        ticket?.team?.teamMembers.nodes.some((member) => member?.userId === user.rowId),
    )
  const offered = isOn && typed ? matching(people, typed.words).slice(0, SHOWN) : []
  const isOpen = offered.length > 0
  const optionId = (index: number) => `${listId}-${index}`

  /** To be called whenever the text or the caret has moved. */
  function follow() {
    const area = textArea.current
    if (!isOn || !area) return
    const found =
      area.selectionStart === area.selectionEnd ? mentionBeingTyped(area.value, area.selectionStart) : null
    if (found?.start === typed?.start && found?.words === typed?.words) return
    setTyped(found)
    setActive(0)
  }

  function pick(person: Mentionable) {
    const area = textArea.current
    if (!area || !typed) return
    const next = withMention(area.value, typed.start, area.selectionStart, person.name)
    onText(next.text)
    setTyped(null)
    requestAnimationFrame(() => {
      area.focus()
      area.setSelectionRange(next.caret, next.caret)
    })
  }

  /** Whether the key was meant for the list. */
  function takesKey(event: KeyboardEvent): boolean {
    const person = offered[active]
    if (!isOpen || !person || event.ctrlKey || event.metaKey) return false
    switch (event.key) {
      case 'ArrowDown':
        setActive((active + 1) % offered.length)
        break
      case 'ArrowUp':
        setActive((active + offered.length - 1) % offered.length)
        break
      case 'Enter':
      case 'Tab':
        pick(person)
        break
      case 'Escape':
        setTyped(null)
        break
      default:
        return false
    }
    event.preventDefault()
    return true
  }

  return {
    follow,
    takesKey,
    /** The row ids of those whom the text calls by name. */
    mentioned: () => (isOn ? mentionedIn(text, people).map(({ rowId }) => rowId) : []),
    /** What tells a screen reader of the list. */
    areaProps: isOpen
      ? ({
          'aria-autocomplete': 'list',
          'aria-controls': listId,
          'aria-activedescendant': optionId(active),
        } as const)
      : {},
    list: isOpen && (
      <MentionList id={listId} optionId={optionId} people={offered} active={active} onPick={pick} />
    ),
  }
}
