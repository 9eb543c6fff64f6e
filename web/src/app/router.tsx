import { createBrowserRouter } from 'react-router'
import { subscribeToSession } from '../lib/session.ts'
import { requireSession, skipWhenSignedIn } from './guards.ts'
import { loadWords } from './i18n.ts'
import { RootLayout } from './layouts/root-layout.tsx'
import { NotFoundPage } from './routes/not-found-page.tsx'
import { ProblemPage } from './routes/problem-page.tsx'
import { SplashScreen } from './splash-screen.tsx'

/** Every page is a chunk of its own, loaded beside its words. */
export const router = createBrowserRouter([
  {
    Component: RootLayout,
    ErrorBoundary: ProblemPage,
    HydrateFallback: SplashScreen,
    children: [
      {
        index: true,
        lazy: async () => {
          const [page] = await Promise.all([import('./routes/landing-route.tsx'), loadWords('landing')])
          return page
        },
      },
      ...(['portal', 'desk'] as const).map((door) => ({
        path: `${door}/login`,
        loader: skipWhenSignedIn(door),
        lazy: async () => {
          const [page] = await Promise.all([
            import('./routes/sign-in-route.tsx'),
            loadWords('identity', 'errors'),
          ])
          return { Component: door === 'portal' ? page.PortalSignInRoute : page.DeskSignInRoute }
        },
      })),
      {
        path: 'portal',
        loader: requireSession('portal'),
        lazy: () => import('./layouts/portal-layout.tsx'),
        ErrorBoundary: ProblemPage,
        children: [
          {
            index: true,
            lazy: async () => {
              const [page] = await Promise.all([
                import('./routes/portal/my-tickets-route.tsx'),
                loadWords('tickets', 'errors'),
              ])
              return page
            },
          },
          {
            path: 'new',
            lazy: async () => {
              const [page] = await Promise.all([
                import('./routes/portal/new-ticket-route.tsx'),
                loadWords('tickets', 'errors'),
              ])
              return page
            },
          },
          {
            path: 'tickets/:number',
            lazy: async () => {
              const [page] = await Promise.all([
                import('./routes/portal/ticket-route.tsx'),
                loadWords('tickets', 'comments', 'errors'),
              ])
              return page
            },
          },
          { path: '*', Component: NotFoundPage },
        ],
      },
      {
        path: 'desk',
        loader: requireSession('desk'),
        lazy: async () => {
          const [layout] = await Promise.all([
            import('./layouts/desk-layout.tsx'),
            loadWords('tickets', 'errors'),
          ])
          return layout
        },
        ErrorBoundary: ProblemPage,
        children: [
          {
            index: true,
            lazy: async () => {
              const [page] = await Promise.all([
                import('./routes/desk/inbox-route.tsx'),
                loadWords('tickets', 'errors'),
              ])
              return page
            },
          },
          {
            path: 'tickets/:number',
            lazy: async () => {
              const [page] = await Promise.all([
                import('./routes/desk/ticket-route.tsx'),
                loadWords('tickets', 'comments', 'sla', 'identity', 'errors'),
              ])
              return page
            },
          },
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
