import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { Button as AriaButton } from 'react-aria-components/Button'
import { Text } from 'react-aria-components/Text'
import {
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components/Toast'
import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { Button } from './button.tsx'

export interface Notice {
  tone: 'success' | 'danger'
  title: string
  action?: { label: string; onPress: () => void }
}

/** Long enough to read, or to read and reach for; the timers rest while the pointer or the focus is on a notice. */
const SHOWN_MS = { plain: 4_000, withAction: 8_000 }

const queue = new ToastQueue<Notice>({ maxVisibleToasts: 3 })

/** Tells of something that happened. Failures stay until they are closed. */
export function notify(notice: Notice): void {
  const timeout = notice.action ? SHOWN_MS.withAction : SHOWN_MS.plain
  queue.add(notice, notice.tone === 'danger' ? {} : { timeout })
}

const PLACES = {
  sidebar: 'lg:start-2.5 lg:bottom-26 lg:w-55 2xl:w-63',
  margin: 'xl:start-4 xl:bottom-4 xl:w-56',
}

export interface NoticesProps {
  /** What is free where the window is wide: the sidebar above its foot, or the margin beside the column. */
  place: keyof typeof PLACES
}

/**
 * Where notices appear; once, in the layout: at the bottom, above what stands there (see `BottomDock`), and where
 * there is room, beside it. F6 reaches them from the keyboard.
 */
export function Notices({ place }: NoticesProps) {
  const { t } = useTranslation('components')
  return (
    <ToastRegion
      queue={queue}
      aria-label={t('notices')}
      className={classNames(
        '@container fixed inset-x-3 bottom-[calc(max(var(--dock,0px),env(safe-area-inset-bottom))+0.75rem)] z-50 flex flex-col gap-2 outline-none sm:inset-x-auto sm:start-4 sm:w-88',
        PLACES[place],
      )}
    >
      {({ toast }) => (
        <Toast
          toast={toast}
          className="grid animate-enter grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-2.5 gap-y-1.5 rounded-lg border border-border bg-raised py-2 ps-3 pe-1.5 shadow-overlay @2xs:grid-cols-[auto_minmax(0,1fr)_auto_auto]"
        >
          {toast.content.tone === 'danger' ? (
            <CircleAlert className="size-5 shrink-0 text-danger-text" aria-hidden="true" />
          ) : (
            <CircleCheck className="size-5 shrink-0 text-success-text" aria-hidden="true" />
          )}
          <ToastContent className="min-w-0">
            <Text slot="title" className="block text-sm text-text [overflow-wrap:anywhere]">
              {toast.content.title}
            </Text>
          </ToastContent>
          {toast.content.action && (
            <Button
              variant="secondary"
              size="small"
              className="col-start-2 row-start-2 justify-self-start @2xs:col-start-3 @2xs:row-start-1"
              onPress={() => {
                toast.content.action?.onPress()
                queue.close(toast.key)
              }}
            >
              {toast.content.action.label}
            </Button>
          )}
          <AriaButton
            slot="close"
            aria-label={t('close')}
            className="touch-target -col-end-1 row-start-1 grid size-8 shrink-0 place-items-center rounded-md text-muted data-[hovered]:bg-hover"
          >
            <X className="size-4" aria-hidden="true" />
          </AriaButton>
        </Toast>
      )}
    </ToastRegion>
  )
}
