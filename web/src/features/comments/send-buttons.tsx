import { ChevronDown } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
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
  /** Sends as the form does, and sets a status. */
  onSendAndSet: (stateId: string) => void
}

/** What sends; the form has the rest. */
export function SendButtons({ isNote, isTeam, isSending, onSendAndSet }: SendButtonsProps) {
  const { t } = useTranslation('comments')
  const states = useTicketStates()
  const nameOf = useStateName()
  if (isNote) {
    return (
      <Button type="submit" variant="primary" isPending={isSending}>
        {t('composer.sendNote')}
      </Button>
    )
  }
  return (
    <span className="inline-flex">
      <Button
        type="submit"
        variant="primary"
        isPending={isSending}
        className={isTeam ? 'rounded-e-none' : ''}
      >
        {t('composer.sendReply')}
      </Button>
      {isTeam && (
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
                  onAction={() => onSendAndSet(state.rowId)}
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
