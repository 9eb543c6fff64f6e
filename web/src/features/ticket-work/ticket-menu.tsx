import { AlarmClock, Ellipsis, Merge, PenLine, UserRound } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Menu, MenuItem, MenuSection, MenuTrigger } from '../../components/menu.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { MergeDialog } from './merge-dialog.tsx'
import { RequesterDialog } from './requester-dialog.tsx'
import { SnoozeDialog } from './snooze-dialog.tsx'
import { SNOOZES, snoozeTime } from '../../lib/snooze-times.ts'
import { SubjectDialog } from './subject-dialog.tsx'
import { useSnooze, useTimeInWords } from './use-snooze.ts'

export const TicketMenuFragment = graphql(`
  fragment TicketMenu on Ticket {
    id
    rowId
    reference
    subject
    version
    status
    snoozedUntil
    mergedIntoId
    requester {
      id
      rowId
      name
      email
    }
  }
`)

type DialogName = 'subject' | 'requester' | 'snooze' | 'merge'

export interface TicketMenuProps {
  ticket: FragmentOf<typeof TicketMenuFragment>
  onChanged: () => void
}

/** What is done to a ticket less often than its properties are changed. */
export function TicketMenu({ ticket: held, onChanged }: TicketMenuProps) {
  const { t } = useTranslation('ticket-work')
  const ticket = readFragment(TicketMenuFragment, held)
  const [open, setOpen] = useState<DialogName | null>(null)
  const [openedAt, setOpenedAt] = useState(() => new Date())
  const snooze = useSnooze(ticket.id, ticket.snoozedUntil)
  const inWords = useTimeInWords()
  const isDone = ticket.status === 'resolved' || ticket.status === 'closed'
  const isMerged = ticket.mergedIntoId !== null
  const dialog = (name: DialogName) => ({ isOpen: open === name, onClose: () => setOpen(null) })
  const times = SNOOZES.flatMap((name) => {
    const time = snoozeTime(name, openedAt)
    return time ? [{ name, time }] : []
  })

  return (
    <>
      <MenuTrigger onOpenChange={(isOpen) => isOpen && setOpenedAt(new Date())}>
        <Button variant="quiet" size="small" isIconOnly aria-label={t('menu.label')}>
          <Ellipsis className="size-4" aria-hidden="true" />
        </Button>
        <Menu placement="bottom end">
          <MenuSection aria-label={t('menu.change')}>
            <MenuItem
              mark={<PenLine className="size-4 text-muted" aria-hidden="true" />}
              onAction={() => setOpen('subject')}
            >
              {t('menu.subject')}
            </MenuItem>
            <MenuItem
              mark={<UserRound className="size-4 text-muted" aria-hidden="true" />}
              onAction={() => setOpen('requester')}
            >
              {t('menu.requester')}
            </MenuItem>
            {!isMerged && (
              <MenuItem
                mark={<Merge className="size-4 text-muted" aria-hidden="true" />}
                onAction={() => setOpen('merge')}
              >
                {t('menu.merge')}
              </MenuItem>
            )}
          </MenuSection>
          {!isDone && (
            <MenuSection title={t('snooze.title')}>
              {times.map(({ name, time }) => (
                <MenuItem
                  key={name}
                  mark={<AlarmClock className="size-4 text-muted" aria-hidden="true" />}
                  onAction={() => void snooze(time)}
                >
                  {t(`snooze.choice.${name}`, { time: inWords(time) })}
                </MenuItem>
              ))}
              <MenuItem
                mark={<AlarmClock className="size-4 text-muted" aria-hidden="true" />}
                onAction={() => setOpen('snooze')}
              >
                {t('snooze.choice.own')}
              </MenuItem>
            </MenuSection>
          )}
        </Menu>
      </MenuTrigger>
      <SubjectDialog ticket={ticket} {...dialog('subject')} />
      <RequesterDialog ticket={ticket} {...dialog('requester')} onChanged={onChanged} />
      <SnoozeDialog {...dialog('snooze')} onChosen={(until) => void snooze(until)} />
      <MergeDialog ticket={ticket} {...dialog('merge')} onChanged={onChanged} />
    </>
  )
}
