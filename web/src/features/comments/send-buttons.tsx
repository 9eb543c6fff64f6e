import { ChevronDown, Send } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
import { SendWords, StopWaiting } from '../../components/send-waits.tsx'
import { StatusGlyph, type Status } from '../../components/status-glyph.tsx'
import { STATUS_INK } from '../../components/status-pill.tsx'
import { useStateName, useTicketStates } from '../../graphql/ticket-states.ts'
import { classNames } from '../../lib/class-names.ts'

/** The states a reply can leave a ticket in. */
const AFTER_REPLY: readonly Status[] = ['open', 'pending', 'on_hold', 'resolved']

export interface SendButtonsProps {
  isNote: boolean
  /** Only the team sets a status with a reply. */
  isTeam: boolean
  isSending: boolean
  /** The stage that the reply sets, when it was taken back or goes on from a draft. */
  stateId: string | null
  /** For how many files sending waits. */
  waitsFor: number
  /** Sends as the form does, and sets a stage, or with null none. */
  onSend: (stateId: string | null) => void
  onStopWaiting: () => void
}

/** What sends; the form has the rest. */
export function SendButtons(props: SendButtonsProps) {
  const { isNote, isTeam, isSending, stateId, waitsFor, onSend, onStopWaiting } = props
  const { t } = useTranslation('comments')
  const states = useTicketStates()
  const nameOf = useStateName()
  const chosen = isTeam && !isNote ? states.find(({ rowId }) => rowId === stateId) : undefined
  const hasMore = isTeam && !isNote && waitsFor === 0
  return (
    <span className="inline-flex">
      <StopWaiting waitsFor={waitsFor} onStop={onStopWaiting} />
      <Button
        type="submit"
        variant="primary"
        isPending={isSending}
        className={hasMore ? 'rounded-e-none' : ''}
      >
        <SendWords waitsFor={waitsFor}>
          {isNote
            ? t('composer.sendNote')
            : chosen
              ? t('composer.sendAndSet', { status: nameOf(chosen) })
              : t('composer.sendReply')}
        </SendWords>
      </Button>
      {hasMore && (
        <MenuTrigger>
          <Button
            variant="primary"
            isIconOnly
            isDisabled={isSending}
            aria-label={t('composer.sendMore')}
            className="w-8 rounded-s-none border-s border-on-accent/30"
          >
            <ChevronDown className="size-4" aria-hidden="true" />
          </Button>
          <Menu placement="top end">
            {chosen && (
              <MenuItem
                mark={<Send className="size-4 text-muted rtl:-scale-x-100" aria-hidden="true" />}
                onAction={() => onSend(null)}
              >
                {t('composer.sendPlain')}
              </MenuItem>
            )}
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
                  onAction={() => onSend(state.rowId)}
                >
                  {t('composer.sendAndSet', { status: nameOf(state) })}
                </MenuItem>
              ))}
          </Menu>
        </MenuTrigger>
      )}
    </span>
  )
}
