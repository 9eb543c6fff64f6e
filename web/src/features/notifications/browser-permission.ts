/** Whether this browser may show notifications; `unsupported` also where a page is not read over HTTPS. */
export type BrowserPermission = NotificationPermission | 'unsupported'

/** What this browser was told. */
export function browserPermission(): BrowserPermission {
  return typeof Notification === 'undefined' || !window.isSecureContext
    ? 'unsupported'
    : Notification.permission
}

/** Asks the person; only from something they pressed. */
export async function askBrowserPermission(): Promise<BrowserPermission> {
  if (browserPermission() === 'unsupported') return 'unsupported'
  return Notification.requestPermission()
}
