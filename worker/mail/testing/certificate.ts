import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../../infra/dev/system-packages.ts'

/** Whether this machine can make a certificate. */
export const canMakeCertificate = findProgram('openssl') !== undefined

/** A certificate for `localhost` that nobody trusts by itself, with the file it can be trusted by. */
export interface TestCertificate {
  key: string
  cert: string
  path: string
  remove: () => void
}

export function makeCertificate(): TestCertificate {
  const directory = mkdtempSync(join(tmpdir(), 'atum-mail-certificate-'))
  const path = join(directory, 'certificate.pem')
  const key = join(directory, 'key.pem')
  const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const whose = ['-subj', '/CN=mail server of a test', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync(findProgram('openssl')!, ['req', ...how, ...whose, '-keyout', key, '-out', path], {
    stdio: 'ignore',
  })
  return {
    key: readFileSync(key, 'utf8'),
    cert: readFileSync(path, 'utf8'),
    path,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
