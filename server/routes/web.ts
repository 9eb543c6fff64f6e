import { join } from 'node:path'
import express, { Router } from 'express'

/** Addresses that are never a page. */
const notPages = /^\/(api|files|graphql|graphiql|internal|healthz|readyz|ruru-static)(\/|$)/

/** The built web. Assets carry a hash of their content in their names; the page that names them is asked for each time. */
export function webRoutes(webDirectory: string): Router {
  const routes = Router()

  routes.use(
    '/assets',
    express.static(join(webDirectory, 'assets'), {
      index: false,
      immutable: true,
      maxAge: '1y',
      redirect: false,
    }),
  )
  routes.use(
    express.static(webDirectory, {
      index: false,
      redirect: false,
      setHeaders: (response) => response.setHeader('cache-control', 'no-cache'),
    }),
  )

  // Any other address that a person opens is one of the web's own pages.
  routes.get('/{*path}', (request, response, next) => {
    if (notPages.test(request.path) || request.path.startsWith('/assets/') || !request.accepts('html')) {
      next()
      return
    }
    response.set('cache-control', 'no-cache')
    // From the root: of a whole path a folder that begins with a dot, anywhere above, would be refused.
    response.sendFile('index.html', { root: webDirectory }, (error) => {
      if (!error || response.headersSent) return
      response
        .status(503)
        .type('text')
        .send('The web is not built yet: run `npm run build` and load this page again.\n')
    })
  })
  return routes
}
