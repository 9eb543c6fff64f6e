import { Network } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { LockoutDialog } from './lockout-dialog.tsx'

export const IpRuleFragment = graphql(`
  fragment IpRule on IpRule {
    id
    rowId
    role
    network
    note
  }
`)

const RemoveIpRule = graphql(`
  mutation RemoveIpRule($ruleId: UUID!, $acceptLockout: Boolean) {
    removeIpRule(input: { ruleId: $ruleId, acceptLockout: $acceptLockout }) {
      removed
    }
  }
`)

export interface IpRuleRowProps {
  rule: FragmentOf<typeof IpRuleFragment>
  onChanged: () => void
}

/** A network people may come from. Removing one that the admin stands in is asked about once more. */
export function IpRuleRow({ rule, onChanged }: IpRuleRowProps) {
  const { t } = useTranslation('ip-rules')
  const { rowId, network, note } = readFragment(IpRuleFragment, rule)
  const [, removeIpRule] = useMutation(RemoveIpRule)
  const [locksOut, setLocksOut] = useState(false)

  async function remove(acceptLockout: boolean) {
    dataOf(await removeIpRule({ ruleId: rowId, acceptLockout }))
    notify({ tone: 'success', title: t('removed', { network }) })
    onChanged()
  }

  return (
    <li className="flex items-center gap-3 px-3.5 py-2.5">
      <Network className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="min-w-0 flex-1 text-sm">
        <p className="figures font-medium break-all">
          <span dir="ltr">{network}</span>
        </p>
        {note && <p className="text-muted [overflow-wrap:anywhere]">{note}</p>}
      </div>
      <ConfirmedButton
        size="small"
        label={t('removeOf', { network })}
        title={t('removeTitle', { network })}
        explanation={t('removeBody')}
        action={t('remove')}
        run={async () => {
          try {
            await remove(false)
          } catch (error) {
            if (!(error instanceof Error) || problemOf(error).code !== 'WOULD_LOCK_YOU_OUT') throw error
            setLocksOut(true)
          }
        }}
      >
        {t('remove')}
      </ConfirmedButton>
      <LockoutDialog
        isOpen={locksOut}
        action={t('lockout.remove')}
        run={() => remove(true)}
        onClose={() => setLocksOut(false)}
      />
    </li>
  )
}
