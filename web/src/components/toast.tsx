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
import { Button } from './button.tsx'

export interface Notice {
  tone: 'success' | 'danger'
  title: string
  action?: { label: string; onPress: () => void }
}

/** Long enough to read and reach for; the timer rests while the pointer or the focus is on it. */
const SHOWN_MS = 7_000

const queue = new ToastQueue<Notice>({ maxVisibleToasts: 3 })

/** Tells of something that happened, at the top of the screen, where it covers nothing that is being written. Failures stay until they are closed. */
export function notify(notice: Notice): void {
  queue.add(notice, notice.tone === 'danger' ? {} : { timeout: SHOWN_MS })
}

/** Where notices appear; once, at the root of the app. F6 reaches it from the keyboard. */
export function Notices() {
  const { t } = useTranslation('components')
  return (
    <ToastRegion
      queue={queue}
      aria-label={t('notices')}
      className="fixed inset-x-4 top-4 z-50 mx-auto flex max-w-md flex-col gap-2 outline-none sm:inset-x-auto sm:end-4 sm:w-96"
    >
      {({ toast }) => (
        <Toast
          toast={toast}
          className="flex animate-enter items-center gap-3 rounded-lg border border-border bg-raised py-2.5 ps-3.5 pe-2 shadow-overlay"
        >
          {toast.content.tone === 'danger' ? (
            <CircleAlert className="size-5 shrink-0 text-danger-text" aria-hidden="true" />
          ) : (
            <CircleCheck className="size-5 shrink-0 text-success-text" aria-hidden="true" />
          )}
          <ToastContent className="min-w-0 flex-1">
            <Text slot="title" className="text-sm text-text">
              {toast.content.title}
            </Text>
          </ToastContent>
          {toast.content.action && (
            <Button
              variant="secondary"
              size="small"
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
            className="touch-target grid size-8 shrink-0 place-items-center rounded-md text-muted data-[hovered]:bg-hover"
          >
            <X className="size-4" aria-hidden="true" />
          </AriaButton>
        </Toast>
      )}
    </ToastRegion>
  )
}
