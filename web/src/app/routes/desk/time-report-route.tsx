export { TimeReportPage as Component } from '../../../features/time/time-report-page.tsx'
