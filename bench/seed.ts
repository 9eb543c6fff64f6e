/**
 * `npm run bench:seed -- --tickets 100000` fills the running database, or the one that DATABASE_URL names as its owner,
 * with an organization to measure on.
 */
import { parseArgs } from 'node:util'
import { requireOwnerUrl } from '../infra/dev/owner-url.ts'
import { fillVolume } from './volume.ts'

const { values } = parseArgs({ options: { tickets: { type: 'string', default: '10000' } } })
const tickets = Number(values.tickets)
if (!Number.isInteger(tickets) || tickets < 1 || tickets > 10_000_000) {
  console.error('--tickets must be a whole number from 1 to 10,000,000')
  process.exit(2)
}
const ownerUrl = requireOwnerUrl()
const started = performance.now()
await fillVolume(ownerUrl, tickets, (done) => console.log(`${done.toLocaleString('en')} tickets`))
console.log(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`)
