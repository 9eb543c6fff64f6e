import { NotificationsPage } from '../../../features/notifications/notifications-page.tsx'

/** What a customer was told. */
export function Component() {
  return <NotificationsPage profilePath="/portal/profile" />
}
