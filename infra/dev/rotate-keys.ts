/**
 * `npm run keys:rotate -- jwt` gives the server a new key to sign access tokens with, `-- encryption` one to seal the
 * secrets in the database with. Works on the keys in the data directory; DATABASE_URL names the database, as its
 * owner; without it, the running one is used.
 */
import { join } from 'node:path'
import { dataDirectory } from './data-directory.ts'
import { withClient } from './database.ts'
import { RotationError, rotateEncryptionKeys, rotateSigningKeys } from './key-rotation.ts'
import { requireOwnerUrl } from './owner-url.ts'
import { readLiveRunState } from './run-state.ts'

const dataDir = dataDirectory()
const [which, ...rest] = process.argv.slice(2)
if ((which !== 'jwt' && which !== 'encryption') || rest.length > 0) {
  console.error('Usage: npm run keys:rotate -- jwt|encryption')
  process.exit(2)
}

try {
  const file = join(dataDir, 'secrets', which)
  console.log(which === 'jwt' ? rotateSigning(file) : await rotateEncryption(file))
} catch (error) {
  if (!(error instanceof RotationError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

function rotateSigning(file: string): string {
  rotateSigningKeys(file)
  return (
    'There is a new key for access tokens. Restart ATUM Desk to use it; tokens of the key before stay good until ' +
    'they end. Should nobody go on with that key, do the same again.'
  )
}

async function rotateEncryption(file: string): Promise<string> {
  const result = await withClient(requireOwnerUrl(), (client) =>
    rotateEncryptionKeys({ file, client, runningKeyIds: readLiveRunState(dataDir)?.encryptionKeyIds }),
  )
  return result === 'begun'
    ? 'There is a new encryption key beside the old one. Restart ATUM Desk, then do the same again: it seals every ' +
        'secret anew and drops the old key.'
    : `${result} secrets were sealed anew, and the old key is gone.`
}
