export { QuarantinePage as Component } from '../../../features/quarantine/quarantine-page.tsx'
