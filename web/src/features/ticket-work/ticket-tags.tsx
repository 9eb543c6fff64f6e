import { X } from 'lucide-react'
import { useState } from 'react'
import { Button as AriaButton } from 'react-aria-components/Button'
import { Label } from 'react-aria-components/Label'
import { Tag, TagGroup, TagList } from 'react-aria-components/TagGroup'
import { useTranslation } from 'react-i18next'
import { useClient, useQuery } from 'urql'
import { PanelSection } from '../../components/panel-section.tsx'
import { SuggestField } from '../../components/suggest-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { readTags, TAG_LENGTH_LIMIT, TAGS_LIMIT, tagsFault } from '../../lib/ticket-tags.ts'
import { useTicketChange } from './use-ticket-change.ts'

export const TicketTagsFragment = graphql(`
  fragment TicketTags on Ticket {
    id
    version
    tags
  }
`)

const TagSuggestionsQuery = graphql(`
  query TagSuggestions($words: String!) {
    tags(first: 8, filter: { name: { startsWithInsensitive: $words } }, orderBy: [NAME_ASC]) {
      nodes {
        id
        name
      }
    }
  }
`)

const TagsNowQuery = graphql(
  `
    query TagsNow($id: ID!) {
      ticket(id: $id) {
        id
        ...TicketTags
      }
    }
  `,
  [TicketTagsFragment],
)

/** How often a change is repeated on what somebody else saved meanwhile. */
const TRIES = 4

/** The words by which a ticket is found again; each is added and taken away by itself. */
export function TicketTags({ ticket }: { ticket: FragmentOf<typeof TicketTagsFragment> }) {
  const { t } = useTranslation(['ticket-work', 'components', 'errors'])
  const { id, version, tags: told } = readFragment(TicketTagsFragment, ticket)
  const tags = told.filter((tag) => tag !== null)
  const client = useClient()
  const changeTicket = useTicketChange()
  const [text, setText] = useState('')
  const [fault, setFault] = useState<ReturnType<typeof tagsFault>>(null)
  const words = useDebounced(text.trim().toLowerCase())
  const [{ data }] = useQuery({ query: TagSuggestionsQuery, variables: { words }, pause: words === '' })
  const suggestions = (data?.tags.nodes ?? [])
    .flatMap((node) => (node ? [node.name] : []))
    .filter((name) => name.startsWith(words) && !tags.includes(name))

  // The list is saved as a whole: what somebody else added meanwhile must not go, so the change is made to theirs.
  async function change(applied: (tags: readonly string[]) => string[]) {
    let seen = { tags, version }
    for (let attempt = 1; ; attempt += 1) {
      const patch = { tags: applied(seen.tags), version: seen.version }
      const { error } = await changeTicket({ id, patch })
      if (!error) return
      const { code } = problemOf(error)
      const now =
        code === 'VERSION_CONFLICT' && attempt < TRIES
          ? await client.query(TagsNowQuery, { id }, { requestPolicy: 'network-only' })
          : null
      const reread = readFragment(TicketTagsFragment, now?.data?.ticket)
      if (!reread) return notify({ tone: 'danger', title: t(`errors:${code}`) })
      seen = { tags: reread.tags.filter((tag) => tag !== null), version: reread.version }
    }
  }

  function add(typed: string) {
    const added = readTags(typed)
    const wrong = tagsFault(added, tags)
    setFault(wrong)
    if (wrong) return
    setText('')
    if (added.some((tag) => !tags.includes(tag))) {
      void change((present) => [...new Set([...present, ...added])].sort())
    }
  }

  return (
    <PanelSection title={t('tags.title')}>
      {tags.length > 0 && (
        <TagGroup
          selectionMode="none"
          onRemove={(keys) => void change((present) => present.filter((tag) => !keys.has(tag)))}
        >
          <Label className="sr-only">{t('tags.title')}</Label>
          <TagList className="flex flex-wrap gap-1.5">
            {tags.map((tag) => (
              <Tag
                key={tag}
                id={tag}
                textValue={tag}
                className="inline-flex max-w-full cursor-default items-center gap-0.5 rounded-md bg-sunken py-0.5 ps-2 pe-0.5 text-sm outline-none data-[focus-visible]:outline-2 data-[focus-visible]:outline-focus"
              >
                <span className="truncate">{tag}</span>
                <AriaButton
                  slot="remove"
                  aria-label={t('components:remove', { name: tag })}
                  className="touch-target grid size-6 shrink-0 place-items-center rounded-sm text-muted data-[hovered]:bg-hover data-[hovered]:text-text"
                >
                  <X className="size-3.5" aria-hidden="true" />
                </AriaButton>
              </Tag>
            ))}
          </TagList>
        </TagGroup>
      )}
      <SuggestField
        label={t('tags.add')}
        placeholder={t('tags.placeholder')}
        text={text}
        onText={(next) => {
          setText(next)
          setFault(null)
        }}
        suggestions={suggestions}
        onAdd={add}
        error={fault && t(`tags.fault.${fault}`, { length: TAG_LENGTH_LIMIT, count: TAGS_LIMIT })}
      />
    </PanelSection>
  )
}
