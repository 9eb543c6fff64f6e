import 'i18next'
import type components from '../components/locales/en.json'
import type comments from '../features/comments/locales/en.json'
import type identity from '../features/identity/locales/en.json'
import type landing from '../features/landing/locales/en.json'
import type sla from '../features/sla/locales/en.json'
import type tickets from '../features/tickets/locales/en.json'
import type errors from '../graphql/locales/en.json'
import type app from './locales/en.json'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'app'
    resources: {
      app: typeof app
      components: typeof components
      errors: typeof errors
      landing: typeof landing
      identity: typeof identity
      tickets: typeof tickets
      comments: typeof comments
      sla: typeof sla
    }
  }
}
