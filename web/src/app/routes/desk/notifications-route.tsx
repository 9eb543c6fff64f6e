import { NotificationsPage } from '../../../features/notifications/notifications-page.tsx'

/** What somebody of the team was told, in the desk's frame, which leaves the margins to its pages. */
export function Component() {
  return (
    <div className="mx-auto w-full max-w-3xl px-4 pt-8 pb-20 sm:px-8">
      <NotificationsPage profilePath="/desk/profile" />
    </div>
  )
}
