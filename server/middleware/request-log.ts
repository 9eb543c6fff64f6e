import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Response } from 'express'
import { pinoHttp } from 'pino-http'
import { clientAddress } from '../caller.ts'
import type { Logger } from '../log.ts'

const unremarkable = new Set(['/healthz', '/readyz'])

/** Links in mails, whose last part lets anybody in. */
const linksOfMails = /^\/(survey|files)\/.+$/

const pathOf = (request: IncomingMessage & { originalUrl?: string }) =>
  ((request.originalUrl ?? request.url ?? '').split('?', 1)[0] ?? '').replace(linksOfMails, '/$1/…')

/**
 * One line a request. Headers, cookies, queries, bodies and the tokens of links are never in it: they let somebody in, or
 * are what people wrote.
 */
export function requestLog(logger: Logger, trustedProxies: number) {
  return pinoHttp({
    logger,
    genReqId: (_request, response) => (response as Response).locals.requestId as string,
    serializers: {
      req: (request: { id: string; method: string; raw: IncomingMessage }) => ({
        id: request.id,
        method: request.method,
        path: pathOf(request.raw),
        address: clientAddress(request.raw, trustedProxies),
      }),
      res: (response: { raw: ServerResponse }) => ({ status: response.raw.statusCode }),
    },
    autoLogging: { ignore: (request) => unremarkable.has(pathOf(request)) },
    // What went wrong is a line of its own, with an error id.
    customErrorObject: (_request, _response, _error, { err: _repeated, ...line }: Record<string, unknown>) =>
      line,
    customLogLevel: (_request, response, error) =>
      error || response.statusCode >= 500 ? 'error' : response.statusCode >= 400 ? 'info' : 'debug',
  })
}
