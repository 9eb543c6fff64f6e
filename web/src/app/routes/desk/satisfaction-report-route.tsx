export { SatisfactionReportPage as Component } from '../../../features/satisfaction/report-page.tsx'
