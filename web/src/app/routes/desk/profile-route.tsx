import { Component as Profile } from '../profile-route.tsx'

/** The page about oneself, in the desk's frame, which leaves the margins to its pages. */
export function Component() {
  return (
    <div className="mx-auto w-full max-w-5xl px-4 pt-8 pb-20 sm:px-8">
      <Profile />
    </div>
  )
}
