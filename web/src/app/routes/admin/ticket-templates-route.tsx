export { TemplatesPage as Component } from '../../../features/ticket-templates/templates-page.tsx'
