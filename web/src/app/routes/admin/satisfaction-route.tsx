export { SatisfactionSettingsPage as Component } from '../../../features/satisfaction/settings-page.tsx'
