/** A browser without a screen: keeps cookies for each host, and walks one redirect at a time. */
export class Browser {
  readonly cookies = new Map<string, Map<string, string>>()
  /** Names that lead to a server of the test. */
  readonly #hosts: Record<string, string>

  constructor(hosts: Record<string, string>) {
    this.#hosts = hosts
  }

  /** Asks for an address and follows nothing. */
  async visit(address: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(address)
    const jar = this.cookies.get(url.host) ?? new Map<string, string>()
    this.cookies.set(url.host, jar)
    const response = await fetch((this.#hosts[url.origin] ?? url.origin) + url.pathname + url.search, {
      ...init,
      redirect: 'manual',
      headers: {
        ...(init.headers as Record<string, string>),
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    })
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';', 1)[0]!.split(/=(.*)/s) as [string, string]
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  /** Follows redirects until one leads to an address that begins with `goal`, and returns that address unvisited. */
  async walk(address: string, goal: string): Promise<string> {
    let here = address
    for (let steps = 0; steps < 20; steps += 1) {
      const response = await this.visit(here)
      const location = response.headers.get('location')
      if (location === null) throw new Error(`${here} leads nowhere: ${await response.text()}`)
      here = new URL(location, here).href
      if (here.startsWith(goal)) return here
    }
    throw new Error('This walk has no end')
  }
}
