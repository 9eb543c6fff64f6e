export { Inbox as Component } from '../../../features/tickets/inbox.tsx'
