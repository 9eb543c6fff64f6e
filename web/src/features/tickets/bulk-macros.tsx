import { Zap } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { MenuItem } from '../../components/menu.tsx'
import { MacroChoices } from '../../graphql/macro-choices.ts'
import { BulkMenu } from './bulk-menu.tsx'

export interface BulkMacrosProps {
  count: number
  isDisabled: boolean
  onMacro: (macroId: string) => void
}

/** The macros for all chosen tickets. One may write to everybody's requesters, so it asks before. */
export function BulkMacros({ count, isDisabled, onMacro }: BulkMacrosProps) {
  const { t, i18n } = useTranslation('tickets')
  const [{ data }] = useQuery({ query: MacroChoices, requestPolicy: 'cache-and-network' })
  const [chosen, setChosen] = useState<{ rowId: string; name: string; description: string | null } | null>(
    null,
  )
  const macros = (data?.macros.nodes ?? []).filter((node) => node !== null)
  if (macros.length === 0) return null
  return (
    <>
      <BulkMenu sign={Zap} label={t('bulk.macros')} isDisabled={isDisabled}>
        {macros.map((macro) => (
          <MenuItem key={macro.rowId} onAction={() => setChosen(macro)}>
            {macro.name}
          </MenuItem>
        ))}
      </BulkMenu>
      <ConfirmDialog
        title={t('bulk.macroTitle', {
          count,
          amount: new Intl.NumberFormat(i18n.language).format(count),
          name: chosen?.name,
        })}
        action={t('bulk.apply')}
        tone="primary"
        isOpen={chosen !== null}
        onClose={() => setChosen(null)}
        onConfirm={() => {
          if (chosen) onMacro(chosen.rowId)
          setChosen(null)
        }}
      >
        {chosen?.description && <p>{chosen.description}</p>}
        <p>{t('bulk.macroBody')}</p>
      </ConfirmDialog>
    </>
  )
}
