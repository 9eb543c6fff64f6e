/** What can be looked at: what is held back, one kind of it, or what was decided. */
export const VIEWS = {
  held: ['infected', 'unscannable', 'pending'],
  infected: ['infected'],
  unscannable: ['unscannable'],
  pending: ['pending'],
  released: ['released'],
  removed: ['removed'],
} as const

export type View = keyof typeof VIEWS

export const views = Object.keys(VIEWS) as View[]

/** Reads what an address shows: what is held back, unless it says something that is known. */
export function readQuarantineAddress(parameters: URLSearchParams): View {
  const shown = parameters.get('show')
  return views.find((known) => known === shown) ?? 'held'
}

/** The address that shows it, without what is the same everywhere. */
export function writeQuarantineAddress(view: View): URLSearchParams {
  return new URLSearchParams(view === 'held' ? {} : { show: view })
}
