import 'i18next'
import type components from '../components/locales/en.json'
import type apiTokens from '../features/api-tokens/locales/en.json'
import type approvals from '../features/approvals/locales/en.json'
import type attachments from '../features/attachments/locales/en.json'
import type automations from '../features/automations/locales/en.json'
import type checklists from '../features/checklists/locales/en.json'
import type cannedResponses from '../features/canned-responses/locales/en.json'
import type comments from '../features/comments/locales/en.json'
import type companies from '../features/companies/locales/en.json'
import type customFields from '../features/custom-fields/locales/en.json'
import type identity from '../features/identity/locales/en.json'
import type ipRules from '../features/ip-rules/locales/en.json'
import type notifications from '../features/notifications/locales/en.json'
import type landing from '../features/landing/locales/en.json'
import type mailboxes from '../features/mailboxes/locales/en.json'
import type profile from '../features/profile/locales/en.json'
import type quarantine from '../features/quarantine/locales/en.json'
import type sessions from '../features/sessions/locales/en.json'
import type people from '../features/people/locales/en.json'
import type mail from '../features/mail/locales/en.json'
import type satisfaction from '../features/satisfaction/locales/en.json'
import type securityPolicy from '../features/security-policy/locales/en.json'
import type singleSignOn from '../features/single-sign-on/locales/en.json'
import type serviceLevels from '../features/service-levels/locales/en.json'
import type sla from '../features/sla/locales/en.json'
import type ticketSearch from '../features/ticket-search/locales/en.json'
import type ticketViews from '../features/ticket-views/locales/en.json'
import type ticketWork from '../features/ticket-work/locales/en.json'
import type services from '../features/services/locales/en.json'
import type teams from '../features/teams/locales/en.json'
import type ticketRules from '../features/ticket-rules/locales/en.json'
import type tickets from '../features/tickets/locales/en.json'
import type ticketTemplates from '../features/ticket-templates/locales/en.json'
import type presence from '../features/presence/locales/en.json'
import type time from '../features/time/locales/en.json'
import type twoFactor from '../features/two-factor/locales/en.json'
import type errors from '../graphql/locales/en.json'
import type webhooks from '../features/webhooks/locales/en.json'
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
      'ticket-work': typeof ticketWork
      'ticket-search': typeof ticketSearch
      'ticket-views': typeof ticketViews
      comments: typeof comments
      teams: typeof teams
      services: typeof services
      'ticket-rules': typeof ticketRules
      'canned-responses': typeof cannedResponses
      approvals: typeof approvals
      attachments: typeof attachments
      automations: typeof automations
      webhooks: typeof webhooks
      quarantine: typeof quarantine
      checklists: typeof checklists
      'service-levels': typeof serviceLevels
      sla: typeof sla
      time: typeof time
      presence: typeof presence
      'ticket-templates': typeof ticketTemplates
      'two-factor': typeof twoFactor
      people: typeof people
      companies: typeof companies
      'custom-fields': typeof customFields
      mail: typeof mail
      satisfaction: typeof satisfaction
      'security-policy': typeof securityPolicy
      'ip-rules': typeof ipRules
      'single-sign-on': typeof singleSignOn
      notifications: typeof notifications
      mailboxes: typeof mailboxes
      profile: typeof profile
      sessions: typeof sessions
      'api-tokens': typeof apiTokens
    }
  }
}
