import { useMutation } from 'urql'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, type VariablesOf } from '../../graphql/tada.ts'

const ChangeSecurityPolicy = graphql(`
  mutation ChangeSecurityPolicy(
    $twoFactorRoles: [UserRole]
    $registrationDomains: [String]
    $localLogin: Boolean
  ) {
    changeSecurityPolicy(
      input: {
        twoFactorRoles: $twoFactorRoles
        registrationDomains: $registrationDomains
        localLogin: $localLogin
      }
    ) {
      securityPolicy {
        id
        updatedAt
        twoFactorRoles
        registrationDomains
        localLogin
      }
    }
  }
`)

/** Changes what is given and leaves the rest; throws what it was refused for. */
export function useChangePolicy(): (change: VariablesOf<typeof ChangeSecurityPolicy>) => Promise<void> {
  const [, changeSecurityPolicy] = useMutation(ChangeSecurityPolicy)
  return async (change) => {
    dataOf(await changeSecurityPolicy(change))
  }
}
