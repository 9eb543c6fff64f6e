export { ServiceLevelsPage as Component } from '../../../features/service-levels/service-levels-page.tsx'
