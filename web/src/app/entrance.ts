import type { RouteObject } from 'react-router'
import {
  arriveByLink,
  arriveSignedIn,
  askAboutMail,
  commonDoor,
  organizationDoor,
  organizationEntrance,
} from './entrance-loaders.ts'
import { page } from './page.ts'
import { requireChallenge } from './pending-challenge.ts'
import { SplashScreen } from './splash-screen.tsx'
import { arriveAtSurvey } from './survey-loader.ts'

const signIn = page(() => import('./routes/sign-in-route.tsx'), 'identity', 'errors')
const entrances = page(() => import('./routes/entrance-routes.tsx'), 'identity', 'errors')
const accountLinks = page(() => import('./routes/account-link-routes.tsx'), 'identity', 'errors')

const portalForgot = async () => ({ Component: (await entrances()).PortalForgotRoute })
const deskForgot = async () => ({ Component: (await entrances()).DeskForgotRoute })

/** Everything before one is in: the doors, an organization's own ones, the second step, and the links from mails. */
export const entranceRoutes: RouteObject[] = [
  { path: 'portal/login', loader: commonDoor('portal'), lazy: signIn },
  { path: 'portal/forgot', loader: askAboutMail, lazy: portalForgot },
  { path: 'desk/login', loader: commonDoor('desk'), lazy: signIn },
  { path: 'desk/forgot', loader: askAboutMail, lazy: deskForgot },
  { path: 'o', lazy: async () => ({ Component: (await entrances()).FindOrganizationRoute }) },
  { path: 'o/:slug', loader: organizationDoor('portal'), lazy: signIn },
  { path: 'o/:slug/forgot', loader: askAboutMail, lazy: portalForgot },
  { path: 'o/:slug/desk', loader: organizationDoor('desk'), lazy: signIn },
  { path: 'o/:slug/desk/forgot', loader: askAboutMail, lazy: deskForgot },
  {
    path: 'o/:slug/register',
    loader: (args) => organizationEntrance('portal', args),
    lazy: async () => ({ Component: (await entrances()).RegisterRoute }),
  },
  {
    path: 'two-factor',
    loader: requireChallenge,
    lazy: page(() => import('./routes/two-factor-route.tsx'), 'two-factor', 'identity', 'errors'),
  },
  {
    path: 'survey/:token',
    loader: arriveAtSurvey,
    // What is answered is on the page; reading it again would take it back.
    shouldRevalidate: () => false,
    lazy: page(() => import('./routes/survey-route.tsx'), 'satisfaction', 'errors'),
  },
  { path: 'file-link', lazy: page(() => import('./routes/file-link-route.tsx'), 'attachments', 'errors') },
  { path: 'signed-in', loader: arriveSignedIn, Component: SplashScreen },
  {
    path: 'reset',
    loader: arriveByLink,
    lazy: async () => ({ Component: (await accountLinks()).ResetRoute }),
  },
  {
    path: 'invitation',
    loader: arriveByLink,
    lazy: async () => ({ Component: (await accountLinks()).InvitationRoute }),
  },
]
