export { IpRulesPage as Component } from '../../../features/ip-rules/ip-rules-page.tsx'
