import { ChevronDown, Lock, Reply } from 'lucide-react'
import { useImperativeHandle, useRef, useState, type KeyboardEvent, type Ref } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { CharacterCount } from '../../components/character-count.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { StatusGlyph, type Status } from '../../components/status-glyph.tsx'
import { STATUS_INK } from '../../components/status-pill.tsx'
import { problemOf, type ProblemCode } from '../../graphql/errors.ts'
import { useMutationKey } from '../../graphql/mutation-key.ts'
import { graphql } from '../../graphql/tada.ts'
import { useStateName, useTicketStates } from '../../graphql/ticket-states.ts'
import { classNames } from '../../lib/class-names.ts'
import { useDraft } from '../../lib/draft.ts'
import { BODY_LIMIT, bodyProblem } from '../../lib/text-limits.ts'
import { useMentions } from './use-mentions.tsx'

const AddComment = graphql(`
  mutation AddComment(
    $ticketId: UUID!
    $body: String!
    $visibility: CommentVisibility
    $stateId: UUID
    $mentionedUserIds: [UUID]
    $clientMutationKey: String
  ) {
    addComment(
      input: {
        ticketId: $ticketId
        body: $body
        visibility: $visibility
        stateId: $stateId
        mentionedUserIds: $mentionedUserIds
        clientMutationKey: $clientMutationKey
      }
    ) {
      comment {
        id
        createdAt
      }
    }
  }
`)

interface Draft {
  body: string
  visibility: 'public' | 'internal'
}

const BLANK: Draft = { body: '', visibility: 'public' }

/** The states a reply can leave a ticket in. */
const AFTER_REPLY: readonly Status[] = ['open', 'pending', 'on_hold', 'resolved']

/** What sends, as it is written on this machine's keyboard. */
export const SEND_KEYS = navigator.platform.startsWith('Mac') ? '⌘ ↵' : 'Ctrl ↵'

export interface ComposerHandle {
  /** Goes to the text, as a reply or as a note. */
  write: (visibility: Draft['visibility']) => void
}

export interface ComposerProps {
  ticketId: string
  audience: 'requester' | 'team'
  /** Whom a reply goes to, for the team. */
  requesterName?: string | undefined
  isClosed?: boolean
  onSent: () => void
  ref?: Ref<ComposerHandle>
}

/**
 * Where a reply is written. What is typed is kept in the browser until the server has it, and a send that failed can
 * be repeated without saying the same thing twice.
 */
export function Composer({
  ticketId,
  audience,
  requesterName,
  isClosed = false,
  onSent,
  ref,
}: ComposerProps) {
  const { t } = useTranslation(['comments', 'components', 'errors'])
  const { draft, change, clear } = useDraft(`reply.${ticketId}`, BLANK)
  const [problem, setProblem] = useState<'empty' | 'long' | ProblemCode | null>(null)
  const [{ fetching }, addComment] = useMutation(AddComment)
  const mutationKey = useMutationKey()
  const textArea = useRef<HTMLTextAreaElement>(null)

  const isTeam = audience === 'team'
  const states = useTicketStates()
  const nameOf = useStateName()
  const mentions = useMentions({
    ticketId,
    isOn: isTeam,
    text: draft.body,
    onText: (body) => change({ ...draft, body }),
    textArea,
  })
  const visibility = isTeam ? (isClosed ? 'internal' : draft.visibility) : 'public'
  const isNote = visibility === 'internal'

  useImperativeHandle(ref, () => ({
    write(wanted) {
      if (wanted !== draft.visibility) change({ ...draft, visibility: wanted })
      textArea.current?.focus()
    },
  }))

  async function send(stateId: string | null) {
    if (fetching) return
    const found = bodyProblem(draft.body)
    setProblem(found)
    if (found) {
      textArea.current?.focus()
      return
    }
    const content = {
      ticketId,
      body: draft.body.trim(),
      visibility,
      stateId,
      ...(isTeam ? { mentionedUserIds: mentions.mentioned() } : {}),
    }
    const { error } = await addComment({ ...content, clientMutationKey: mutationKey.keyFor(content) })
    if (error) {
      setProblem(problemOf(error).code)
      return
    }
    mutationKey.done()
    clear()
    onSent()
  }

  function handleKey(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing || mentions.takesKey(event)) return
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
      event.preventDefault()
      void send(null)
    }
    // Out of the text, so that single keys are shortcuts again; what was written stays.
    if (event.key === 'Escape') textArea.current?.blur()
  }

  const label = isNote
    ? t('composer.noteLabel')
    : requesterName
      ? t('composer.replyTo', { name: requesterName })
      : t('composer.replyToTeam')
  const placeholder = isNote
    ? t('composer.notePlaceholder')
    : requesterName
      ? t('composer.replyPlaceholder', { name: requesterName })
      : t('composer.replyToTeamPlaceholder')

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void send(null)
      }}
      aria-label={label}
      className={classNames(
        'flex flex-col rounded-xl border shadow-raised transition-colors focus-within:outline-2 focus-within:outline-focus',
        isNote ? 'border-note-border bg-note' : 'border-border-strong bg-surface',
      )}
    >
      {isTeam && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-2 pt-2">
          <Segmented
            label={t('composer.mode')}
            value={visibility}
            onChange={(wanted) => {
              change({ ...draft, visibility: wanted })
              textArea.current?.focus()
            }}
            segments={[
              {
                value: 'public',
                label: t('composer.reply'),
                mark: <Reply className="size-3.5 rtl:-scale-x-100" aria-hidden="true" />,
                isDisabled: isClosed,
              },
              {
                value: 'internal',
                label: t('composer.note'),
                mark: <Lock className="size-3.5" aria-hidden="true" />,
                className: 'data-[selected]:text-note-text',
              },
            ]}
          />
          {isNote && (
            <span className="text-sm text-note-text">
              {t(isClosed ? 'composer.closedDesk' : 'internalNoteHint')}
            </span>
          )}
        </div>
      )}
      <div className="relative flex flex-col">
        {mentions.list}
        <textarea
          ref={textArea}
          onKeyDown={handleKey}
          onSelect={mentions.follow}
          {...mentions.areaProps}
          dir="auto"
          aria-label={label}
          aria-invalid={problem !== null}
          placeholder={placeholder}
          value={draft.body}
          readOnly={fetching}
          rows={2}
          onChange={(event) => {
            change({ ...draft, body: event.target.value })
            if (problem) setProblem(null)
          }}
          className={classNames(
            'field-sizing-content max-h-[40dvh] min-h-18 resize-none bg-transparent px-4 py-3 outline-none',
            isNote && 'placeholder:text-note-text',
          )}
        />
      </div>
      {problem && (
        <div className="px-3 pb-2">
          <InlineAlert>
            {problem === 'empty'
              ? t('composer.empty')
              : problem === 'long'
                ? t('composer.tooLong', { limit: BODY_LIMIT.toLocaleString() })
                : t(`errors:${problem}`)}
          </InlineAlert>
        </div>
      )}
      <div className="flex flex-wrap items-center justify-end gap-2 px-2 pb-2">
        <span
          className={classNames(
            'me-auto hidden ps-2 text-xs sm:block',
            isNote ? 'text-note-text' : 'text-muted',
          )}
        >
          {draft.body ? t('composer.kept') : t('composer.sendKeys', { keys: SEND_KEYS })}
        </span>
        <CharacterCount length={draft.body.length} limit={BODY_LIMIT} />
        {isNote ? (
          <Button type="submit" variant="primary" isPending={fetching}>
            {t('composer.sendNote')}
          </Button>
        ) : (
          <span className="inline-flex">
            <Button
              type="submit"
              variant="primary"
              isPending={fetching}
              className={isTeam ? 'rounded-e-none' : ''}
            >
              {t('composer.sendReply')}
            </Button>
            {isTeam && (
              <MenuTrigger>
                <Button
                  variant="primary"
                  isIconOnly
                  isDisabled={fetching}
                  aria-label={t('composer.sendMore')}
                  className="w-8 rounded-s-none border-s border-on-accent/30"
                >
                  <ChevronDown className="size-4" aria-hidden="true" />
                </Button>
                <Menu placement="top end">
                  {states
                    .filter(({ kind }) => AFTER_REPLY.includes(kind))
                    .map((state) => (
                      <MenuItem
                        key={state.rowId}
                        mark={
                          <StatusGlyph
                            status={state.kind}
                            className={classNames('size-4', STATUS_INK[state.kind])}
                          />
                        }
                        onAction={() => void send(state.rowId)}
                      >
                        {t('composer.sendAndSet', { status: nameOf(state) })}
                      </MenuItem>
                    ))}
                </Menu>
              </MenuTrigger>
            )}
          </span>
        )}
      </div>
    </form>
  )
}
