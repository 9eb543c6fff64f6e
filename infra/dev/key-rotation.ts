import type { Client } from 'pg'
import { createEncryption, placeOf } from '../../server/encryption.ts'
import { keyId, parseKeys } from '../../server/key-ring.ts'
import { makeSecret, readSecret, replaceSecret } from './secrets.ts'

const rotationLock = 4_286_102
const rounds = 20

/** Why a rotation did not go on; nothing is lost. */
export class RotationError extends Error {
  override readonly name = 'RotationError'
}

interface SealedSecret {
  table_name: string
  organization_id: string
  row_id: string
  secret: string
  identity_provider_id: string | null
}

/** What each table of `app_private.reencrypt_list()` is sealed for. */
const placesOf: Record<
  string,
  (organizationId: string, rowId: string, identityProviderId: string | null) => string
> = {
  'app_private.authenticators': placeOf.authenticator,
  'app_private.identity_provider_secrets': (_organizationId, rowId) => placeOf.identityProvider(rowId),
  'app_private.mailbox_secrets': placeOf.mailbox,
  'app_private.sessions': (_organizationId, _rowId, providerId) => placeOf.idToken(providerId ?? ''),
  'app_private.webhook_secrets': placeOf.webhook,
}

/** Puts a new key before the one in use, which goes on checking; the one before that is dropped. */
export function rotateSigningKeys(file: string): void {
  const [current] = keysIn(file)
  replaceSecret(file, `${makeSecret()}\n${current}`)
}

/**
 * Puts a new encryption key before the one in use. Once the server has both, the same again seals every secret anew and
 * drops the old key: `begun`, then a number of secrets. So at no moment a server meets a secret that it cannot open, and
 * whatever interrupts it, the same again goes on where it was: the old key stays until no secret needs it.
 */
export async function rotateEncryptionKeys(options: {
  file: string
  /** The database, as its owner. */
  client: Client
  /** The names of the keys that the running server has; undefined where none of ours runs. */
  runningKeyIds: readonly string[] | undefined
}): Promise<'begun' | number> {
  const { file, client, runningKeyIds } = options
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    rotationLock,
  ])
  if (!rows[0]!.locked) throw new RotationError('Another rotation of this key is under way.')

  const [newest = '', ...older] = keysIn(file)
  if (older.length === 0) {
    replaceSecret(file, `${makeSecret()}\n${newest}`)
    return 'begun'
  }
  if (runningKeyIds && !runningKeyIds.includes(keyId(newest))) {
    throw new RotationError(
      'The running server does not have the new key yet: restart ATUM Desk, then try again.',
    )
  }
  const count = await sealAnew(client, [newest, ...older])
  replaceSecret(file, newest)
  return count
}

function keysIn(file: string): readonly string[] {
  const keys = parseKeys(readSecret(file) ?? '')
  if (keys.length === 0) throw new RotationError(`There is no key in ${file}; \`npm start\` makes it.`)
  return keys
}

/** Seals with the first key what any other one sealed, until there is nothing left. */
async function sealAnew(client: Client, keys: readonly string[]): Promise<number> {
  const encryption = createEncryption(keys)
  let count = 0
  // A server that just started may have had secrets sealed with the old key under way.
  for (let round = 0; round < rounds; round += 1) {
    const old = (await sealedSecrets(client)).filter(({ secret }) => !encryption.isCurrent(secret))
    if (old.length === 0) return count
    for (const { table_name, organization_id, row_id, secret, identity_provider_id } of old) {
      const place = placesOf[table_name]?.(organization_id, row_id, identity_provider_id)
      if (!place)
        throw new RotationError(`Nobody said where ${table_name} is sealed for. The old key is kept.`)
      const renewed = encryption.encrypt(opened(encryption, secret, place, `${table_name} ${row_id}`), place)
      const { rows } = await client.query<{ done: boolean }>(
        'select app_private.reencrypt($1, $2, $3, $4, $5) as done',
        [table_name, organization_id, row_id, secret, renewed],
      )
      if (rows[0]!.done) count += 1
    }
  }
  throw new RotationError('Secrets keep being sealed with the old key: restart every server, then try again.')
}

function opened(
  encryption: ReturnType<typeof createEncryption>,
  secret: string,
  place: string,
  row: string,
): string {
  try {
    return encryption.decrypt(secret, place)
  } catch (error) {
    throw new RotationError(`${row}: ${(error as Error).message}. The old key is kept.`, { cause: error })
  }
}

async function sealedSecrets(client: Client): Promise<SealedSecret[]> {
  const { rows } = await client.query<SealedSecret>(
    `select sealed.*, session.identity_provider_id
     from app_private.reencrypt_list() as sealed
     left join app_private.sessions as session
       on sealed.table_name = 'app_private.sessions'
       and session.organization_id = sealed.organization_id and session.id = sealed.row_id
     -- Where the identity provider was deleted, nobody will log out there any more.
     where sealed.table_name <> 'app_private.sessions' or session.identity_provider_id is not null`,
  )
  return rows
}
