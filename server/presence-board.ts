/** Somebody at a ticket, as others see it. */
export interface PresentPerson {
  userId: string
  state: 'viewing' | 'typing'
  /** When they came, in milliseconds since 1970. */
  since: number
}

/** Where a server says that somebody is, until when it is believed without being said again. */
interface Sighting {
  since: number
  until: number
}

interface Person {
  /** By the server that says so: a person may have a tab at each. */
  sightings: Map<string, Sighting>
  typingUntil: number
}

/** More than are ever at tickets at once. */
const mostPeople = 100_000

/** Who is at which ticket, as far as one server knows: what it saw itself and what others told. Nothing stays by itself. */
export class PresenceBoard {
  readonly #tickets = new Map<string, Map<string, Person>>()
  #people = 0

  /** Somebody is at a ticket, seen by a server. */
  see(server: string, ticketId: string, userId: string, { since, until }: Sighting): void {
    const person = this.#tickets.get(ticketId)?.get(userId) ?? this.#add(ticketId, userId)
    if (!person) return
    const known = person.sightings.get(server)
    person.sightings.set(server, { since: known?.since ?? since, until })
  }

  /** Since when a server sees somebody. */
  since(server: string, ticketId: string, userId: string): number {
    return this.#tickets.get(ticketId)?.get(userId)?.sightings.get(server)?.since ?? Date.now()
  }

  /** A server does not see somebody any more. */
  lose(server: string, ticketId: string, userId: string): void {
    const person = this.#tickets.get(ticketId)?.get(userId)
    if (person?.sightings.delete(server) && person.sightings.size === 0) this.#remove(ticketId, userId)
  }

  /** Somebody who is at a ticket types, until then. */
  type(ticketId: string, userId: string, typingUntil: number): void {
    const person = this.#tickets.get(ticketId)?.get(userId)
    if (person) person.typingUntil = typingUntil
  }

  /** Until when somebody types; zero for who does not, and nothing for who is not at the ticket. */
  typingUntil(ticketId: string, userId: string): number | undefined {
    return this.#tickets.get(ticketId)?.get(userId)?.typingUntil
  }

  /** Forgets what was not said again, and tells where something did. */
  expire(now: number): { ticketId: string; gone: { server: string; userId: string }[] }[] {
    const changed = []
    for (const [ticketId, people] of this.#tickets) {
      const gone = []
      let stoppedTyping = false
      for (const [userId, person] of people) {
        for (const [server, { until }] of person.sightings) {
          if (until > now) continue
          this.lose(server, ticketId, userId)
          gone.push({ server, userId })
        }
        if (person.typingUntil > 0 && person.typingUntil <= now) {
          person.typingUntil = 0
          stoppedTyping = true
        }
      }
      if (gone.length > 0 || stoppedTyping) changed.push({ ticketId, gone })
    }
    return changed
  }

  /** Who is at a ticket besides one of them, in the order in which they came. */
  peopleAt(ticketId: string, besides: string): PresentPerson[] {
    const others: PresentPerson[] = []
    for (const [userId, { sightings, typingUntil }] of this.#tickets.get(ticketId) ?? []) {
      if (userId === besides) continue
      const since = Math.min(...[...sightings.values()].map((sighting) => sighting.since))
      others.push({ userId, state: typingUntil > 0 ? 'typing' : 'viewing', since })
    }
    return others.toSorted((one, other) => one.since - other.since || (one.userId < other.userId ? -1 : 1))
  }

  get size(): number {
    return this.#people
  }

  #add(ticketId: string, userId: string): Person | undefined {
    if (this.#people >= mostPeople) return undefined
    const person: Person = { sightings: new Map(), typingUntil: 0 }
    const people = this.#tickets.get(ticketId)
    if (people) people.set(userId, person)
    else this.#tickets.set(ticketId, new Map([[userId, person]]))
    this.#people += 1
    return person
  }

  #remove(ticketId: string, userId: string): void {
    const people = this.#tickets.get(ticketId)
    if (!people?.delete(userId)) return
    this.#people -= 1
    if (people.size === 0) this.#tickets.delete(ticketId)
  }
}
