import { redirect, type RouteObject } from 'react-router'
import { requireAdmin } from './guards.ts'
import { page } from './page.ts'

const people = page(() => import('./routes/admin/people-routes.tsx'), 'people', 'errors')
const automations = page(() => import('./routes/admin/automations-routes.tsx'), 'automations', 'errors')
const mail = page(() => import('./routes/admin/mail-routes.tsx'), 'mail', 'errors')
const webhooks = page(() => import('./routes/admin/webhooks-routes.tsx'), 'webhooks', 'errors')
const mailboxes = page(() => import('./routes/admin/mailboxes-routes.tsx'), 'mailboxes', 'errors')
const providers = page(() => import('./routes/admin/single-sign-on-routes.tsx'), 'single-sign-on', 'errors')

/** Where admins decide about people and ways in, inside the desk. */
export const administrationRoutes: RouteObject = {
  path: 'admin',
  loader: requireAdmin,
  lazy: page(() => import('./layouts/admin-layout.tsx')),
  children: [
    // Who is turned away meanwhile is drawn nothing.
    { index: true, loader: () => redirect('/desk/admin/people'), element: null },
    { path: 'people', lazy: async () => ({ Component: (await people()).PeopleRoute }) },
    { path: 'people/:userId', lazy: async () => ({ Component: (await people()).PersonRoute }) },
    { path: 'roles', lazy: async () => ({ Component: (await people()).RolesRoute }) },
    { path: 'teams', lazy: page(() => import('./routes/admin/teams-route.tsx'), 'teams', 'errors') },
    { path: 'services', lazy: page(() => import('./routes/admin/services-route.tsx'), 'services', 'errors') },
    {
      path: 'ticket-statuses',
      lazy: page(() => import('./routes/admin/ticket-statuses-route.tsx'), 'ticket-rules', 'errors'),
    },
    {
      path: 'ticket-settings',
      lazy: page(() => import('./routes/admin/ticket-settings-route.tsx'), 'ticket-rules', 'errors'),
    },
    {
      path: 'attachments',
      lazy: page(() => import('./routes/admin/attachments-route.tsx'), 'attachments', 'errors'),
    },
    {
      path: 'companies',
      lazy: page(() => import('./routes/admin/companies-route.tsx'), 'companies', 'errors'),
    },
    { path: 'automations', lazy: async () => ({ Component: (await automations()).AutomationsRoute }) },
    { path: 'automations/new', lazy: async () => ({ Component: (await automations()).NewAutomationRoute }) },
    {
      path: 'automations/:automationId',
      lazy: async () => ({ Component: (await automations()).AutomationRoute }),
    },
    { path: 'webhooks', lazy: async () => ({ Component: (await webhooks()).WebhooksRoute }) },
    { path: 'webhooks/new', lazy: async () => ({ Component: (await webhooks()).NewWebhookRoute }) },
    { path: 'webhooks/:webhookId', lazy: async () => ({ Component: (await webhooks()).WebhookRoute }) },
    { path: 'mailboxes', lazy: async () => ({ Component: (await mailboxes()).MailboxesRoute }) },
    { path: 'mailboxes/new', lazy: async () => ({ Component: (await mailboxes()).NewMailboxRoute }) },
    { path: 'mailboxes/:mailboxId', lazy: async () => ({ Component: (await mailboxes()).MailboxRoute }) },
    { path: 'incoming-mail', lazy: async () => ({ Component: (await mailboxes()).IncomingMailRoute }) },
    {
      path: 'ticket-templates',
      lazy: page(() => import('./routes/admin/ticket-templates-route.tsx'), 'ticket-templates', 'errors'),
    },
    {
      path: 'quarantine',
      lazy: page(() => import('./routes/admin/quarantine-route.tsx'), 'quarantine', 'errors'),
    },
    {
      path: 'fields',
      lazy: page(() => import('./routes/admin/custom-fields-route.tsx'), 'custom-fields', 'errors'),
    },
    {
      path: 'time-activities',
      lazy: page(() => import('./routes/admin/time-activities-route.tsx'), 'time', 'errors'),
    },
    {
      path: 'satisfaction',
      lazy: page(() => import('./routes/admin/satisfaction-route.tsx'), 'satisfaction', 'errors'),
    },
    { path: 'mail', lazy: async () => ({ Component: (await mail()).MailRoute }) },
    { path: 'mail/:kind', lazy: async () => ({ Component: (await mail()).WordingRoute }) },
    { path: 'outbox', lazy: async () => ({ Component: (await mail()).OutboxRoute }) },
    { path: 'outbox/:mailId', lazy: async () => ({ Component: (await mail()).OutboxMailRoute }) },
    {
      path: 'service-levels',
      lazy: page(() => import('./routes/admin/service-levels-route.tsx'), 'service-levels', 'errors'),
    },
    {
      path: 'security',
      lazy: page(() => import('./routes/admin/security-policy-route.tsx'), 'security-policy', 'errors'),
    },
    {
      path: 'ip-rules',
      lazy: page(() => import('./routes/admin/ip-rules-route.tsx'), 'ip-rules', 'errors'),
    },
    {
      path: 'single-sign-on',
      lazy: async () => ({ Component: (await providers()).ProvidersRoute }),
    },
    {
      path: 'single-sign-on/new/:kind',
      lazy: async () => ({ Component: (await providers()).NewProviderRoute }),
    },
    {
      path: 'single-sign-on/:providerId',
      lazy: async () => ({ Component: (await providers()).ProviderRoute }),
    },
  ],
}
