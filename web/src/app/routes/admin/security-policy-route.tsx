export { SecurityPolicyPage as Component } from '../../../features/security-policy/security-policy-page.tsx'
