import { Suspense } from 'react'
import { Outlet, ScrollRestoration, useNavigation } from 'react-router'
import { SkipLink } from '../../components/skip-link.tsx'
import { NavigationProgress } from '../navigation-progress.tsx'
import { SplashScreen } from '../splash-screen.tsx'

/** What every page has: the way past the navigation, the sign that the next page is coming, the scroll kept. */
export function RootLayout() {
  const isNavigating = useNavigation().state !== 'idle'
  return (
    <>
      <SkipLink />
      <NavigationProgress isNavigating={isNavigating} />
      <Suspense fallback={<SplashScreen />}>
        <Outlet />
      </Suspense>
      <ScrollRestoration />
    </>
  )
}
