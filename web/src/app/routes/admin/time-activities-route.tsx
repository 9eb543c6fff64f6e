export { TimeActivitiesPage as Component } from '../../../features/time/time-activities-page.tsx'
