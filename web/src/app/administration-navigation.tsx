import {
  ArrowLeft,
  Building2,
  CircleDot,
  Clock,
  FileStack,
  Fingerprint,
  LifeBuoy,
  Network,
  ShieldCheck,
  TextCursorInput,
  SlidersHorizontal,
  Timer,
  Users,
  UsersRound,
  UserStar,
  Zap,
} from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { classNames } from '../lib/class-names.ts'

const PLACES = [
  { name: 'people', sign: Users },
  { name: 'roles', sign: UserStar },
  { name: 'companies', sign: Building2 },
  { name: 'teams', sign: UsersRound },
  { name: 'services', sign: LifeBuoy },
  { name: 'ticket-statuses', sign: CircleDot },
  { name: 'ticket-settings', sign: SlidersHorizontal },
  { name: 'ticket-templates', sign: FileStack },
  { name: 'fields', sign: TextCursorInput },
  { name: 'automations', sign: Zap },
  { name: 'time-activities', sign: Clock },
  { name: 'service-levels', sign: Timer },
  { name: 'security', sign: ShieldCheck },
  { name: 'ip-rules', sign: Network },
  { name: 'single-sign-on', sign: Fingerprint },
] as const

export interface AdministrationNavigationProps {
  /** `row` lies across the head of the page where there is no sidebar. */
  look?: 'column' | 'row'
  onNavigate?: () => void
}

/** The pages of the administration, in place of the inbox's filters. */
export function AdministrationNavigation({ look = 'column', onNavigate }: AdministrationNavigationProps) {
  const { t } = useTranslation()
  const { pathname } = useLocation()
  const current = PLACES.find(({ name }) => pathname.startsWith(`/desk/admin/${name}`))?.name
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
  return (
    <>
      {look === 'column' && (
        <Link
          to="/desk"
          {...onClick}
          className="mb-3 flex min-h-9 items-center gap-2 rounded-md px-2.5 text-sm text-muted transition-colors hover:bg-hover hover:text-text pointer-coarse:min-h-11"
        >
          <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden="true" />
          {t('admin.back')}
        </Link>
      )}
      <ul
        ref={row}
        className={
          look === 'column'
            ? 'flex flex-col gap-0.5'
            : 'row-fade flex [scrollbar-width:none] gap-1.5 overflow-x-auto px-4 py-2'
        }
      >
        {PLACES.map(({ name, sign: Sign }) => (
          <li key={name} className="shrink-0">
            <Link
              to={`/desk/admin/${name}`}
              aria-current={name === current ? 'page' : undefined}
              {...onClick}
              className={classNames(
                'flex items-center gap-2.5 rounded-md px-2.5 text-sm transition-colors pointer-coarse:min-h-11',
                look === 'column' ? 'min-h-9' : 'min-h-8 border border-border',
                name === current ? 'bg-selected font-semibold text-accent-text' : 'text-text hover:bg-hover',
              )}
            >
              {look === 'column' && (
                <Sign
                  className={classNames('size-4 shrink-0', name !== current && 'text-muted')}
                  aria-hidden="true"
                />
              )}
              {t(`admin.${name}`)}
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}
