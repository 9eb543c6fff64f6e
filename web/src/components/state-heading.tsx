import { PageHeading } from './page-heading.tsx'

export interface StateHeadingProps {
  children: string
  /** The state is all there is on the page, so its heading is the page's. */
  isPage?: boolean | undefined
}

/** The heading of an empty place or of one where something went wrong. */
export function StateHeading({ children, isPage = false }: StateHeadingProps) {
  return isPage ? (
    <PageHeading title={children} className="text-lg">
      {children}
    </PageHeading>
  ) : (
    <h2 className="text-lg font-semibold">{children}</h2>
  )
}
