import { useSessionUser } from '../../lib/session.ts'

/** What an operator types on the server to let this admin in again, ready to be copied. */
export function BreakGlassCommand() {
  const { email, organization } = useSessionUser()
  return (
    <code dir="ltr" className="font-mono text-text [overflow-wrap:anywhere]">
      npm run break-glass -- --organization {organization.slug} --email {email}
    </code>
  )
}
