export { AttachmentSettingsPage as Component } from '../../../features/attachments/settings-page.tsx'
