export { CustomFieldsPage as Component } from '../../../features/custom-fields/custom-fields-page.tsx'
