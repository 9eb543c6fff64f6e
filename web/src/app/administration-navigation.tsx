import {
  ArrowLeft,
  Building2,
  CircleDot,
  Clock,
  FileStack,
  Fingerprint,
  Inbox,
  LifeBuoy,
  MailOpen,
  Mail,
  Network,
  ShieldAlert,
  Paperclip,
  ShieldCheck,
  TextCursorInput,
  Send,
  SlidersHorizontal,
  Smile,
  Timer,
  Users,
  UsersRound,
  UserStar,
  Webhook,
  Zap,
} from 'lucide-react'
import { useEffect, useId, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { classNames } from '../lib/class-names.ts'

const GROUPS = [
  {
    name: 'circle',
    places: [
      { name: 'people', sign: Users },
      { name: 'roles', sign: UserStar },
      { name: 'teams', sign: UsersRound },
      { name: 'companies', sign: Building2 },
    ],
  },
  {
    name: 'work',
    places: [
      { name: 'services', sign: LifeBuoy },
      { name: 'ticket-statuses', sign: CircleDot },
      { name: 'ticket-settings', sign: SlidersHorizontal },
      { name: 'attachments', sign: Paperclip },
      { name: 'fields', sign: TextCursorInput },
      { name: 'ticket-templates', sign: FileStack },
      { name: 'automations', sign: Zap },
      { name: 'satisfaction', sign: Smile },
      { name: 'quarantine', sign: ShieldAlert },
    ],
  },
  {
    name: 'channels',
    places: [
      { name: 'mail', sign: Mail },
      { name: 'mailboxes', sign: Inbox },
      { name: 'incoming-mail', sign: MailOpen },
      { name: 'outbox', sign: Send },
      { name: 'webhooks', sign: Webhook },
    ],
  },
  {
    name: 'clock',
    places: [
      { name: 'service-levels', sign: Timer },
      { name: 'time-activities', sign: Clock },
    ],
  },
  {
    name: 'entrance',
    places: [
      { name: 'security', sign: ShieldCheck },
      { name: 'ip-rules', sign: Network },
      { name: 'single-sign-on', sign: Fingerprint },
    ],
  },
] as const

const PLACES = GROUPS.flatMap(({ places }): readonly Place[] => places)

type Place = (typeof GROUPS)[number]['places'][number]

export interface AdministrationNavigationProps {
  /** `row` lies across the head of the page where there is no sidebar. */
  look?: 'column' | 'row'
  onNavigate?: () => void
}

/** The pages of the administration, in place of the inbox's filters. */
export function AdministrationNavigation({ look = 'column', onNavigate }: AdministrationNavigationProps) {
  const { t } = useTranslation()
  const id = useId()
  const { pathname } = useLocation()
  const current = PLACES.find(({ name }) => `${pathname}/`.startsWith(`/desk/admin/${name}/`))?.name
  const row = useRef<HTMLUListElement>(null)

  // By hand, because `scrollIntoView` would also move the page.
  useEffect(() => {
    const link = row.current?.querySelector('[aria-current]')
    if (look !== 'row' || !row.current || !link) return
    const frame = row.current.getBoundingClientRect()
    const place = link.getBoundingClientRect()
    row.current.scrollLeft += place.left + place.width / 2 - (frame.left + frame.width / 2)
  }, [look, current])

  const onClick = onNavigate ? { onClick: onNavigate } : {}
  if (look === 'row') {
    return (
      <ul ref={row} className="row-fade flex [scrollbar-width:none] gap-1.5 overflow-x-auto px-4 py-2">
        {PLACES.map(({ name }) => (
          <li key={name} className="shrink-0">
            <Link
              to={`/desk/admin/${name}`}
              aria-current={name === current ? 'page' : undefined}
              {...onClick}
              className={classNames('min-h-8 border border-border', linkLook(name === current))}
            >
              {t(`admin.${name}`)}
            </Link>
          </li>
        ))}
      </ul>
    )
  }

  return (
    <div className="flex flex-col gap-3">
      <Link
        to="/desk"
        {...onClick}
        className="flex min-h-9 items-center gap-2 rounded-md px-2.5 text-sm text-muted transition-colors hover:bg-hover hover:text-text pointer-coarse:min-h-11"
      >
        <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden="true" />
        {t('admin.back')}
      </Link>
      {GROUPS.map((group) => (
        <section key={group.name} aria-labelledby={`${id}-${group.name}`} className="flex flex-col gap-1">
          <h2 id={`${id}-${group.name}`} className="px-2.5 text-xs font-medium text-muted">
            {t(`admin.group.${group.name}`)}
          </h2>
          <ul className="flex flex-col gap-px">
            {group.places.map(({ name, sign: Sign }) => (
              <li key={name}>
                <Link
                  to={`/desk/admin/${name}`}
                  aria-current={name === current ? 'page' : undefined}
                  {...onClick}
                  className={classNames('min-h-8', linkLook(name === current))}
                >
                  <Sign
                    className={classNames('size-4 shrink-0', name !== current && 'text-muted')}
                    aria-hidden="true"
                  />
                  {t(`admin.${name}`)}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

const linkLook = (isCurrent: boolean) =>
  classNames(
    'flex items-center gap-2.5 rounded-md px-2.5 text-sm transition-colors pointer-coarse:min-h-11',
    isCurrent ? 'bg-selected font-semibold text-accent-text' : 'text-text hover:bg-hover',
  )
