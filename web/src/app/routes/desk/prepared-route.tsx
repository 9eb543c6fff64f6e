import { PreparedPage } from '../../../features/canned-responses/prepared-page.tsx'

/** What the team prepares, in the desk's frame, which leaves the margins to its pages. */
export function Component() {
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-col gap-8 px-4 pt-6 pb-24 md:px-6 lg:pt-8">
      <PreparedPage />
    </div>
  )
}
