import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { withLogin } from '../../../infra/dev/connection-url.ts'
import { runProgram } from '../../../infra/dev/run-program.ts'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { connections } from './connections.ts'

/** An empty installation on which one test file runs the commands of an operator. */
export interface Installation {
  /** The web server's login. */
  readonly server: Client
  readonly superuser: Client
  /** Where a run that is none keeps its data. */
  readonly dataDir: string
  readonly ownerUrl: string
  readonly operatorUrl: string
  /** What a command of `db` says; rejects with it where the command fails. As the owner, unless told otherwise. */
  run: (command: string, args: string[], environment?: NodeJS.ProcessEnv) => Promise<string>
}

export function setInstallation(): Installation {
  const opened = connections()
  let set: { database: TestDatabase; server: Client; superuser: Client; dataDir: string }

  beforeAll(async () => {
    const database = await createTestDatabase()
    const superuser = await opened.open(database.superuserUrl)
    await superuser.query(`alter role atum_operator password 'operator'`)
    set = {
      database,
      superuser,
      server: await opened.open(database.serverUrl),
      dataDir: mkdtempSync(join(tmpdir(), 'atum-commands-')),
    }
  })

  afterAll(async () => {
    await opened.close()
    await set.database.drop()
    rmSync(set.dataDir, { recursive: true, force: true })
  })

  return {
    get server() {
      return set.server
    },
    get superuser() {
      return set.superuser
    },
    get dataDir() {
      return set.dataDir
    },
    get ownerUrl() {
      return set.database.ownerUrl
    },
    get operatorUrl() {
      return withLogin(set.database.ownerUrl, 'atum_operator', 'operator')
    },
    run: (command, args, environment = { DATABASE_URL: set.database.ownerUrl }) =>
      runProgram(process.execPath, [`db/${command}.ts`, ...args], {
        environment: { ATUM_DATA_DIR: set.dataDir, ...environment },
      }),
  }
}
