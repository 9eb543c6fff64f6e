import type { Pool } from 'pg'
import type { UserRole } from './access-token.ts'
import { RememberedAnswers } from './remembered-answers.ts'
import type { Revocations } from './revocations.ts'

const remembered = 10_000

/** Whether an organization lets somebody of a role in from an address. */
export class IpVerdicts {
  readonly #pool: Pool
  readonly #verdicts: RememberedAnswers<boolean>

  constructor(options: { pool: Pool; revocations: Revocations; maximum?: number }) {
    const { pool, revocations, maximum = remembered } = options
    this.#pool = pool
    this.#verdicts = new RememberedAnswers({ isHearing: () => revocations.isComplete, maximum })
    revocations.listen((news) => {
      if (news.kind === 'everything') this.#verdicts.forgetAll()
      else if (news.kind === 'ip_rules') this.#verdicts.forget((key) => key.startsWith(news.id))
    })
  }

  /** How many verdicts are known. */
  get size(): number {
    return this.#verdicts.size
  }

  isAllowed(organizationId: string, role: UserRole, ipAddress: string): Promise<boolean> {
    return this.#verdicts.get(`${organizationId} ${role} ${ipAddress}`, async () => {
      const { rows } = await this.#pool.query<{ allowed: boolean }>(
        'select app_private.ip_allowed($1, $2, $3) as allowed',
        [organizationId, role, ipAddress],
      )
      return rows[0]!.allowed
    })
  }
}
