export { TicketSettingsPage as Component } from '../../../features/ticket-rules/settings-page.tsx'
