import { createServer } from 'node:net'

const lastPort = 65535

/** Whether both loopback addresses are free at `port`: a browser that is told `localhost` may try either. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'))
}

/** The first free port from `preferred` on. */
export async function nextFreePort(preferred: number): Promise<number> {
  for (let port = preferred; port <= lastPort; port += 1) {
    if (await isPortFree(port)) return port
  }
  throw new Error(`No port from ${preferred} to ${lastPort} is free.`)
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // A machine without IPv6 has nothing that could be busy there.
      resolve(error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')
    })
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
