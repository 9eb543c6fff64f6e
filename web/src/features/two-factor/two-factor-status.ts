import { graphql } from '../../graphql/tada.ts'

export const TwoFactorStatusQuery = graphql(`
  query TwoFactorStatus {
    twoFactorStatus {
      isOn
      isRequired
      recoveryCodesLeft
    }
  }
`)
