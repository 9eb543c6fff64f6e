import { expect, test } from 'vitest'
import { mailboxFault } from './mailbox-fault.ts'

test.each([
  [
    'unreachable',
    'The server cannot be reached: getaddrinfo ENOTFOUND imap.test (ENOTFOUND)',
    'host_not_found',
  ],
  [
    'unreachable',
    'The server cannot be reached: connect ECONNREFUSED 1.2.3.4:993 (ECONNREFUSED)',
    'connection_refused',
  ],
  [
    'unreachable',
    'The server cannot be reached: Unexpected close (ClosedAfterConnectTLS)',
    'connection_ended',
  ],
  [
    'unreachable',
    '10.0.0.1 leads to 10.0.0.1, which may not be called (ADDRESS_REFUSED)',
    'internal_address',
  ],
  ['unreachable', 'The server did not answer within 30 seconds', 'unreachable'],
  ['failed', 'SSL routines:wrong version number (ERR_SSL_WRONG_VERSION_NUMBER)', 'no_tls'],
  ['unreachable', 'The token endpoint cannot be reached: getaddrinfo (ENOTFOUND)', 'token_endpoint'],
  ['failed', 'Something new', 'failed'],
  ['refused', 'The server refused the login: no such user (ENOTFOUND)', 'refused'],
  ['a word of tomorrow', null, 'failed'],
] as const)('a test that found %s and read “%s” is %s', (outcome, detail, fault) => {
  expect(mailboxFault(outcome, detail)).toBe(fault)
})

test.each([
  ['The server refused the login: Authentication failed. (AUTHENTICATIONFAILED)', 'refused'],
  [
    'The certificate of the server is not trusted: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)',
    'certificate',
  ],
  ['The server cannot be reached: connect ETIMEDOUT (ETIMEDOUT)', 'unreachable'],
  ['The folder INBOX.Desk cannot be opened: Mailbox does not exist', 'no_folder'],
  ['gone', 'failed'],
] as const)('what reading wrote down, “%s”, is %s', (detail, fault) => {
  expect(mailboxFault(null, detail)).toBe(fault)
})
