import { type Request, type Response, Router } from 'express'
import type { Pool } from 'pg'
import { clientAddress } from '../../caller.ts'
import { RequestError } from '../../errors.ts'
import { spendRequest, type RateLimits } from '../../rate-limits.ts'
import type { FileStorage } from '../../storage/file-storage.ts'
import { fileOf } from './attachment-files.ts'
import { serveFile } from './serve-file.ts'

/** What a link in a mail leads to. Whoever has the mail has the file, as long as its recipient may see it. */
export function mailLinkRoutes(options: {
  pool: Pool
  storage: FileStorage
  rateLimits: RateLimits
  trustedProxies: number
}): Router {
  const { pool, storage, rateLimits, trustedProxies } = options
  const routes = Router()

  routes.get('/files/:token', async (request: Request<{ token: string }>, response) => {
    try {
      await serveToken(request, response)
    } catch (error) {
      // A person is told by a page of ours, a program by the code alone.
      if (!(error instanceof RequestError) || request.accepts(['json', 'html']) !== 'html') throw error
      response.redirect(303, `/file-link?problem=${error.code}`)
    }
  })

  async function serveToken(request: Request<{ token: string }>, response: Response): Promise<void> {
    const ipAddress = clientAddress(request, trustedProxies)
    await spendRequest(rateLimits, null, ipAddress)
    const { token } = request.params
    const { rows } = await pool.query({
      name: 'file_of_token',
      text: 'select null as id, organization_id, name, size, content_type, state, sha256 from app_private.file_of_token($1, $2)',
      values: [/^[0-9a-f]{64}$/.test(token) ? token : '', ipAddress],
    })
    const [row] = rows
    if (!row)
      throw new RequestError(
        'FILE_LINK_INVALID',
        'This link is too old, or no longer for you: open the ticket instead',
      )
    await serveFile(response, storage, fileOf(row), 'download')
  }
  return routes
}
