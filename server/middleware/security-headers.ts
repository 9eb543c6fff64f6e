import type { RequestHandler } from 'express'
import helmet from 'helmet'

const hostPattern = /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i

/**
 * What a page of ours may do: run and show what this server sends, and talk to this server. WebSockets are named
 * besides 'self', which older browsers do not take for them.
 */
export function securityHeaders(options: { https: boolean }): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // blob: is what a person chose to attach and the server does not have yet.
        imgSrc: ["'self'", 'data:', 'blob:'],
        connectSrc: [
          "'self'",
          (request) => {
            const { host } = request.headers
            return host && hostPattern.test(host) ? `${options.https ? 'wss' : 'ws'}://${host}` : "'self'"
          },
        ],
        frameAncestors: ["'none'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
      },
    },
    // Over plain HTTP it would be ignored, and with a forgotten test certificate it would lock people out.
    strictTransportSecurity: options.https,
    xFrameOptions: { action: 'deny' },
  })
}

/** GraphiQL, outside production: its page has scripts and styles of its own in it, and comes wholly from here. */
export const graphiqlHeaders: RequestHandler = (_request, response, next) => {
  response.set(
    'content-security-policy',
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
      "font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
  )
  next()
}
