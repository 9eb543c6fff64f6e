import { join } from 'node:path'
import { repository } from './repository.ts'

/** Part of the environment of a process that a test starts: what the one before it compiled, it need not. */
export const compileCache = { NODE_COMPILE_CACHE: join(repository, 'node_modules/.cache/atum-compiled') }
