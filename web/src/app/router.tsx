import { createBrowserRouter } from 'react-router'
import { subscribeToSession } from '../lib/session.ts'
import { administrationRoutes } from './administration.ts'
import { entranceRoutes } from './entrance.ts'
import { requireManager, requireSession } from './guards.ts'
import { RootLayout } from './layouts/root-layout.tsx'
import { page } from './page.ts'
import { NotFoundPage } from './routes/not-found-page.tsx'
import { ProblemPage } from './routes/problem-page.tsx'
import { SplashScreen } from './splash-screen.tsx'

const profileWords = ['profile', 'notifications', 'two-factor', 'sessions', 'api-tokens', 'errors'] as const

/** Every page is a chunk of its own, loaded beside its words. */
export const router = createBrowserRouter([
  {
    Component: RootLayout,
    ErrorBoundary: ProblemPage,
    HydrateFallback: SplashScreen,
    children: [
      { index: true, lazy: page(() => import('./routes/landing-route.tsx'), 'landing') },
      ...entranceRoutes,
      {
        path: 'portal',
        loader: requireSession('portal'),
        lazy: page(() => import('./layouts/portal-layout.tsx'), 'notifications', 'errors'),
        ErrorBoundary: ProblemPage,
        children: [
          {
            index: true,
            lazy: page(
              () => import('./routes/portal/my-tickets-route.tsx'),
              'tickets',
              'approvals',
              'errors',
            ),
          },
          {
            path: 'new',
            lazy: page(() => import('./routes/portal/new-ticket-route.tsx'), 'tickets', 'errors'),
          },
          {
            path: 'tickets/:number',
            lazy: page(
              () => import('./routes/portal/ticket-route.tsx'),
              'tickets',
              'comments',
              'custom-fields',
              'satisfaction',
              'errors',
            ),
          },
          {
            path: 'search',
            lazy: page(() => import('./routes/portal/search-route.tsx'), 'ticket-search', 'errors'),
          },
          { path: 'notifications', lazy: page(() => import('./routes/portal/notifications-route.tsx')) },
          { path: 'profile', lazy: page(() => import('./routes/profile-route.tsx'), ...profileWords) },
          { path: '*', Component: NotFoundPage },
        ],
      },
      {
        path: 'desk',
        loader: requireSession('desk'),
        lazy: page(
          () => import('./layouts/desk-layout.tsx'),
          'tickets',
          'ticket-views',
          'notifications',
          'time',
          'errors',
        ),
        ErrorBoundary: ProblemPage,
        children: [
          {
            index: true,
            lazy: page(() => import('./routes/desk/inbox-route.tsx'), 'tickets', 'approvals', 'errors'),
          },
          {
            path: 'tickets/new',
            lazy: page(() => import('./routes/desk/new-ticket-route.tsx'), 'tickets', 'errors'),
          },
          {
            path: 'tickets/:number',
            lazy: page(
              () => import('./routes/desk/ticket-route.tsx'),
              'tickets',
              'ticket-work',
              'approvals',
              'checklists',
              'custom-fields',
              'comments',
              'canned-responses',
              'presence',
              'sla',
              'time',
              'satisfaction',
              'identity',
              'errors',
            ),
          },
          {
            path: 'prepared',
            lazy: page(() => import('./routes/desk/prepared-route.tsx'), 'canned-responses', 'errors'),
          },
          {
            path: 'search',
            lazy: page(() => import('./routes/desk/search-route.tsx'), 'ticket-search', 'errors'),
          },
          {
            path: 'views/:viewId',
            lazy: page(() => import('./routes/desk/view-route.tsx'), 'ticket-views', 'errors'),
          },
          { path: 'notifications', lazy: page(() => import('./routes/desk/notifications-route.tsx')) },
          { path: 'profile', lazy: page(() => import('./routes/desk/profile-route.tsx'), ...profileWords) },
          {
            path: 'time',
            loader: requireManager,
            lazy: page(() => import('./routes/desk/time-report-route.tsx'), 'time', 'errors'),
          },
          {
            path: 'satisfaction',
            loader: requireManager,
            lazy: page(() => import('./routes/desk/satisfaction-report-route.tsx'), 'satisfaction', 'errors'),
          },
          administrationRoutes,
          { path: '*', Component: NotFoundPage },
        ],
      },
      { path: '*', Component: NotFoundPage },
    ],
  },
])

// A session that ended, here or in another tab, is noticed by the guards of whatever page is open.
subscribeToSession(() => {
  if (router.state.initialized) void router.revalidate()
})
