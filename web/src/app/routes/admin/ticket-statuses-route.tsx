export { StatusesPage as Component } from '../../../features/ticket-rules/statuses-page.tsx'
