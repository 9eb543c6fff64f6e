import { expect, it } from 'vitest'
import { accountLink } from './account-link.ts'

const origin = 'https://desk.example'

it('makes no link that leads nowhere', () => {
  expect(() => accountLink({ purpose: 'email_verification', token: 'x' }, origin)).toThrow()
})

it('leads to where the token is taken, after the #', () => {
  expect(accountLink({ purpose: 'invitation', token: 'a+b/c' }, origin)).toBe(
    'https://desk.example/invitation#token=a%2Bb%2Fc',
  )
  expect(accountLink({ purpose: 'password_reset', token: 'abc' }, origin)).toBe(
    'https://desk.example/reset#token=abc',
  )
})
