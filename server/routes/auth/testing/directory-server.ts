import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'ldapts'
import { putOnLeash } from '../../../../infra/dev/leash.ts'
import { nextFreePort } from '../../../../infra/dev/ports.ts'
import { findProgram } from '../../../../infra/dev/system-packages.ts'

export const suffix = 'dc=acme,dc=test'
export const people = `ou=people,${suffix}`
/** Whom anybody may look for. */
export const openPeople = `ou=open,${suffix}`
export const reader = { dn: `cn=reader,${suffix}`, password: 'may search and nothing else' }
const root = { dn: `cn=root,${suffix}`, password: 'root of a directory of a test' }

export interface TestDirectory {
  /** Not encrypted, at the loopback address. */
  url: string
  /** Encrypted from the first byte. */
  secureUrl: string
  /** The certificate that it shows, which nobody trusts by itself. */
  certificate: string
  /** A connection that may change everything. */
  root: Client
  close(): Promise<void>
}

/** Whether this machine has what a directory needs. */
export const hasSlapd = findProgram('slapd') !== undefined && findProgram('openssl') !== undefined

/** Debian's slapd with a configuration and a database of its own, for as long as the test runs. */
export async function startDirectory(): Promise<TestDirectory> {
  const directory = mkdtempSync(join(tmpdir(), 'atum-slapd-'))
  const file = (name: string) => join(directory, name)
  mkdirSync(file('data'))
  // Ubuntu confines the installed program to its own directories, by its path.
  copyFileSync(findProgram('slapd')!, file('slapd'))
  makeCertificate(file('certificate.pem'), file('key.pem'))
  writeFileSync(file('slapd.conf'), configuration(file), { mode: 0o600 })

  const [port, securePort] = await freePorts()
  const url = `ldap://127.0.0.1:${port}`
  const secureUrl = `ldaps://localhost:${securePort}`
  const addresses = `${url}/ ldaps://127.0.0.1:${securePort}/`
  const slapd = spawn(file('slapd'), ['-f', file('slapd.conf'), '-h', addresses, '-d', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  slapd.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const ended = once(slapd, 'exit')
  const leash =
    slapd.pid &&
    putOnLeash({
      target: slapd.pid,
      signal: 'SIGTERM',
      escalation: 'SIGKILL',
      removeDirectory: directory,
    })
  const stop = async () => {
    slapd.kill('SIGTERM')
    await ended
    if (leash) leash.release()
    rmSync(directory, { recursive: true, force: true })
  }

  const client = new Client({ url, timeout: 5_000 })
  try {
    await patiently(() => client.bind(root.dn, root.password))
    await fill(client)
  } catch (error) {
    await stop()
    throw new Error(`slapd did not start: ${complaints}`, { cause: error })
  }
  return {
    url,
    secureUrl,
    certificate: readFileSync(file('certificate.pem'), 'utf8'),
    root: client,
    async close() {
      await client.unbind()
      await stop()
    },
  }
}

/** Puts a person into the directory, and says by what name. */
export async function addPerson(
  { root: client }: TestDirectory,
  uid: string,
  { dn = `uid=${uid},${people}`, password, ...attributes }: Record<string, string> = {},
): Promise<string> {
  await client.add(dn, {
    objectClass: 'inetOrgPerson',
    uid,
    cn: `${uid} of the directory`,
    sn: uid,
    mail: `${uid}@acme.test`,
    ...(password === undefined ? {} : { userPassword: password }),
    ...attributes,
  })
  return dn
}

function configuration(file: (name: string) => string): string {
  const schemas = ['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`)
  return `${schemas.join('\n')}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile "${file('pid')}"
TLSCertificateFile "${file('certificate.pem')}"
TLSCertificateKeyFile "${file('key.pem')}"
database mdb
suffix "${suffix}"
rootdn "${root.dn}"
rootpw "${root.password}"
directory "${file('data')}"
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="${openPeople}" by * read
access to * by dn.exact="${reader.dn}" read by * none
`
}

function makeCertificate(certificate: string, key: string): void {
  const names = 'subjectAltName=DNS:localhost,IP:0.0.0.0'
  const made = ['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=directory of a test']
  const how = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-addext',
    names,
  ]
  execFileSync(findProgram('openssl')!, ['req', ...how, ...made], { stdio: 'ignore' })
}

async function freePorts(): Promise<[number, number]> {
  const first = await nextFreePort(26_389)
  return [first, await nextFreePort(first + 1)]
}

async function patiently(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await attempt()
      return
    } catch (error) {
      if (tries === 50) throw error
      await delay(100)
    }
  }
}

async function fill(client: Client): Promise<void> {
  await client.add(suffix, { objectClass: ['dcObject', 'organization'], dc: 'acme', o: 'Acme' })
  await client.add(people, { objectClass: 'organizationalUnit', ou: 'people' })
  await client.add(openPeople, { objectClass: 'organizationalUnit', ou: 'open' })
  await client.add(`ou=groups,${suffix}`, { objectClass: 'organizationalUnit', ou: 'groups' })
  await client.add(reader.dn, {
    objectClass: ['organizationalRole', 'simpleSecurityObject'],
    cn: 'reader',
    userPassword: reader.password,
  })
}
