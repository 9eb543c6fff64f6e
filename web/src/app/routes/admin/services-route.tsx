export { ServicesPage as Component } from '../../../features/services/services-page.tsx'
