import { Lock, Reply, TextQuote } from 'lucide-react'
import {
  useCallback,
  useEffect,
  useEffectEvent,
  useImperativeHandle,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
} from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { AttachButton } from '../../components/attach-button.tsx'
import { AttachedFiles } from '../../components/attached-files.tsx'
import { Button } from '../../components/button.tsx'
import { CharacterCount } from '../../components/character-count.tsx'
import { DropVeil } from '../../components/drop-veil.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { useAttaching } from '../../components/use-attaching.ts'
import { useFileDrop } from '../../components/use-file-drop.ts'
import { problemOf } from '../../graphql/errors.ts'
import { useMutationKey } from '../../graphql/mutation-key.ts'
import { graphql } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { BODY_LIMIT, bodyProblem } from '../../lib/text-limits.ts'
import { DraftConflict, RefusedReply } from './composer-notices.tsx'
import { ComposerTrouble, type ComposerProblem } from './composer-trouble.tsx'
import { OutgoingReplies, useOutgoingReplies } from './outgoing-replies.tsx'
import { isBlank, type ReplyDraft } from './reply-draft.ts'
import { SendButtons } from './send-buttons.tsx'
import { useCannedPicker } from './use-canned-picker.tsx'
import { useMentions } from './use-mentions.tsx'
import { useReplyDraft } from './use-reply-draft.ts'

// What a customer says is said at once.
const AddComment = graphql(`
  mutation AddComment($ticketId: UUID!, $body: String!, $attachmentIds: [UUID], $clientMutationKey: String) {
    addComment(
      input: {
        ticketId: $ticketId
        body: $body
        attachmentIds: $attachmentIds
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

const SendReply = graphql(`
  mutation SendReply(
    $ticketId: UUID!
    $body: String!
    $visibility: CommentVisibility
    $stateId: UUID
    $mentionedUserIds: [UUID]
    $seenCommentAt: Datetime
    $draftVersion: Int
    $attachmentIds: [UUID]
    $clientMutationKey: String
  ) {
    sendReply(
      input: {
        ticketId: $ticketId
        body: $body
        visibility: $visibility
        stateId: $stateId
        mentionedUserIds: $mentionedUserIds
        seenCommentAt: $seenCommentAt
        draftVersion: $draftVersion
        attachmentIds: $attachmentIds
        clientMutationKey: $clientMutationKey
      }
    ) {
      sentReply {
        outgoingReplyId
      }
    }
  }
`)

/** What sends, as it is written on this machine's keyboard. */
export const SEND_KEYS = navigator.platform.startsWith('Mac') ? '⌘ ↵' : 'Ctrl ↵'

interface SendOptions {
  /** The stage that the ticket is set to, in place of the draft's. */
  stateId?: string | null
  /** What was seen of the conversation, in place of what is on the screen. */
  seenCommentAt?: string | null
}

export interface ComposerHandle {
  /** Goes to the text, as a reply or as a note. */
  write: (visibility: ReplyDraft['visibility']) => void
}

export interface ComposerProps {
  ticketId: string
  audience: 'requester' | 'team'
  /** Whom a reply goes to, for the team. */
  requesterName?: string | undefined
  /** When somebody last spoke in public, as it is on the screen: an answer that crosses with another is held back. */
  lastCommentAt?: string | undefined
  isClosed?: boolean
  /** What else can be done to the ticket from here. */
  tools?: ReactNode
  onSent: () => void
  /** Offered with what was written when this conversation is over for good. */
  onFollowUp?: (body: string) => void
  ref?: Ref<ComposerHandle>
}

/**
 * Where a reply is written. What is typed is kept in the browser and on the server, what the team sends can be taken
 * back for a while, and a send that failed can be repeated without saying the same thing twice.
 */
export function Composer({
  ticketId,
  audience,
  requesterName,
  lastCommentAt,
  isClosed = false,
  tools,
  onSent,
  onFollowUp,
  ref,
}: ComposerProps) {
  const { t } = useTranslation('comments')
  const reply = useReplyDraft(ticketId)
  const { draft } = reply
  const [problem, setProblem] = useState<ComposerProblem | null>(null)
  const [isSending, setIsSending] = useState(false)
  /** What is sent as soon as the files are there. */
  const [held, setHeld] = useState<SendOptions | null>(null)
  const [, addComment] = useMutation(AddComment)
  const [, sendReply] = useMutation(SendReply)
  const mutationKey = useMutationKey()
  const textArea = useRef<HTMLTextAreaElement>(null)

  const isTeam = audience === 'team'
  const visibility = isTeam ? (isClosed ? 'internal' : draft.visibility) : 'public'
  const isNote = visibility === 'internal'
  const { look, write } = reply
  const outgoing = useOutgoingReplies(
    ticketId,
    isTeam,
    useCallback(() => {
      onSent()
      // One that was refused is a draft again.
      void look()
    }, [onSent, look]),
  )
  const mentions = useMentions({ ticketId, isOn: isTeam, text: draft.body, onText: write, textArea })
  const canned = useCannedPicker({ ticketId, isOn: isTeam, onText: write, textArea })
  const attaching = useAttaching({
    files: draft.files,
    onChange: (files) => {
      reply.attach(files)
      if (problem) setProblem(null)
    },
  })
  const isOver = useFileDrop(attaching.drop)

  useImperativeHandle(ref, () => ({
    write(wanted) {
      reply.moveTo(wanted)
      textArea.current?.focus()
    },
  }))

  async function send(options: SendOptions = {}) {
    if (isSending) return
    const { stateId = isNote ? null : draft.stateId, seenCommentAt = lastCommentAt ?? null } = options
    const fault = bodyProblem(draft.body)
    const found = fault === 'empty' && draft.files.length > 0 ? 'wordless' : fault
    setProblem(found)
    if (found) {
      textArea.current?.focus()
      return
    }
    if (attaching.isBusy) {
      setHeld(options)
      return
    }
    if (attaching.hasTrouble) {
      setProblem(attaching.canTryAgain ? 'files' : 'refusedFiles')
      return
    }
    setIsSending(true)
    const draftVersion = await reply.versionToSend()
    const said = { ticketId, body: draft.body.trim(), attachmentIds: draft.files.map(({ id }) => id) }
    const content = isTeam
      ? {
          ...said,
          visibility,
          stateId,
          mentionedUserIds: mentions.mentioned(),
          seenCommentAt: isNote ? null : seenCommentAt,
        }
      : said
    const key = { clientMutationKey: mutationKey.keyFor(content) }
    const { error } = isTeam
      ? await sendReply({ ...content, ...key, draftVersion })
      : await addComment({ ...said, ...key })
    setIsSending(false)
    if (error) {
      reply.stay()
      setProblem(problemOf(error).code)
      return
    }
    mutationKey.done()
    // A note on a closed ticket may have begun as a reply.
    if (draftVersion !== null && (!isTeam || visibility !== draft.visibility)) {
      void reply.discard(draft.visibility, draftVersion)
    }
    reply.sent()
    attaching.clear()
    if (isTeam) outgoing.reread()
    onSent()
  }

  const sendHeld = useEffectEvent(() => {
    if (!held || attaching.isBusy) return
    setHeld(null)
    void send(held)
  })
  useEffect(() => sendHeld(), [held, attaching.isBusy])

  function handleKey(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing || mentions.takesKey(event) || canned.takesKey(event)) return
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
      event.preventDefault()
      void send()
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
    <>
      {isTeam && (
        <OutgoingReplies
          outgoing={outgoing}
          beforeUndo={reply.save}
          onTakenBack={(taken) => {
            reply.take(taken)
            textArea.current?.focus()
          }}
        />
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
        onPaste={attaching.onPaste}
        aria-label={label}
        className={classNames(
          'relative flex flex-col rounded-xl border shadow-raised transition-colors focus-within:outline-2 focus-within:outline-focus',
          isNote ? 'border-note-border bg-note' : 'border-border-strong bg-surface',
        )}
      >
        {isTeam && (
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-2 pt-2">
            <Segmented
              label={t('composer.mode')}
              value={visibility}
              onChange={(wanted) => {
                reply.moveTo(wanted)
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
          {canned.list}
          <textarea
            ref={textArea}
            onKeyDown={handleKey}
            onSelect={() => {
              mentions.follow()
              canned.follow()
            }}
            {...mentions.areaProps}
            {...canned.areaProps}
            dir="auto"
            aria-label={label}
            aria-invalid={problem !== null}
            placeholder={placeholder}
            value={draft.body}
            readOnly={isSending}
            rows={2}
            onChange={(event) => {
              write(event.target.value)
              mentions.follow()
              if (problem) setProblem(null)
            }}
            className={classNames(
              'field-sizing-content max-h-[40dvh] min-h-18 resize-none bg-transparent px-4 py-3 outline-none',
              isNote && 'placeholder:text-note-text',
            )}
          />
        </div>
        {reply.conflict && <DraftConflict theirs={reply.conflict} onDecide={reply.decide} />}
        {reply.refusedCode && !problem && <RefusedReply code={reply.refusedCode} />}
        <AttachedFiles
          attaching={attaching}
          isLocked={isSending}
          className="max-h-[30dvh] overflow-y-auto px-3 pb-2.5"
        />
        {problem && (
          <ComposerTrouble
            ticketId={ticketId}
            problem={problem}
            onSendAnyway={(seenCommentAt) => void send({ seenCommentAt })}
            {...(onFollowUp ? { onFollowUp: () => onFollowUp(draft.body) } : {})}
          />
        )}
        <div className="flex flex-wrap items-center justify-end gap-2 px-2 pb-2">
          <span
            className={classNames(
              'me-auto hidden ps-2 text-xs sm:block',
              isNote ? 'text-note-text' : 'text-muted',
            )}
          >
            {!isBlank(draft)
              ? t(reply.isSaved ? 'composer.saved' : 'composer.kept')
              : t('composer.sendKeys', { keys: SEND_KEYS })}
          </span>
          <CharacterCount length={draft.body.length} limit={BODY_LIMIT} />
          {isTeam && (
            <Button variant="quiet" isIconOnly aria-label={t('canned.open')} onPress={canned.open}>
              <TextQuote className="size-4" aria-hidden="true" />
            </Button>
          )}
          <AttachButton
            buttonRef={attaching.button}
            limits={attaching.limits}
            onFiles={attaching.add}
            isDisabled={isSending}
          />
          {tools}
          <SendButtons
            isNote={isNote}
            isTeam={isTeam}
            isSending={isSending}
            stateId={draft.stateId}
            waitsFor={held ? attaching.underWay : 0}
            onSend={(stateId) => void send({ stateId })}
            onStopWaiting={() => setHeld(null)}
          />
        </div>
        {isOver && <DropVeil />}
      </form>
    </>
  )
}
