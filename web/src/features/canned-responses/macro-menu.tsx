import { Zap } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { notify } from '../../components/toast.tsx'
import { MacroChoices } from '../../graphql/macro-choices.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { MacroSteps } from './macro-steps.tsx'

const MacroPreviewQuery = graphql(`
  query MacroPreview($macroId: UUID!, $ticketId: UUID!) {
    previewMacro(macroId: $macroId, ticketId: $ticketId, first: 20) {
      nodes {
        type
        value
        visibility
        text
      }
    }
  }
`)

const ApplyMacro = graphql(`
  mutation ApplyMacro($macroId: UUID!, $ticketId: UUID!) {
    applyMacro(input: { macroId: $macroId, ticketId: $ticketId }) {
      ticket {
        id
        version
      }
    }
  }
`)

export interface MacroMenuProps {
  ticketId: string
  onApplied: () => void
}

interface ChosenMacro {
  rowId: string
  name: string
  description: string | null
}

/** The macros for a ticket; each says what it would do before it does it. */
export function MacroMenu({ ticketId, onApplied }: MacroMenuProps) {
  const { t } = useTranslation('canned-responses')
  const [{ data }] = useQuery({ query: MacroChoices, requestPolicy: 'cache-and-network' })
  const [chosen, setChosen] = useState<ChosenMacro | null>(null)
  const macros = (data?.macros.nodes ?? []).filter((node) => node !== null)
  if (macros.length === 0) return null
  return (
    <>
      <MenuTrigger>
        <Button variant="quiet" isIconOnly aria-label={t('macros')}>
          <Zap className="size-4" aria-hidden="true" />
        </Button>
        <Menu placement="top end">
          {macros.map((macro) => (
            <MenuItem key={macro.rowId} onAction={() => setChosen(macro)}>
              {macro.name}
            </MenuItem>
          ))}
        </Menu>
      </MenuTrigger>
      <Dialog title={chosen?.name ?? ''} isOpen={chosen !== null} onClose={() => setChosen(null)}>
        {chosen && (
          <MacroPreview
            macro={chosen}
            ticketId={ticketId}
            onClose={() => setChosen(null)}
            onApplied={() => {
              setChosen(null)
              onApplied()
            }}
          />
        )}
      </Dialog>
    </>
  )
}

interface MacroPreviewProps extends MacroMenuProps {
  macro: ChosenMacro
  onClose: () => void
}

function MacroPreview({ macro, ticketId, onClose, onApplied }: MacroPreviewProps) {
  const { t } = useTranslation(['canned-responses', 'components'])
  const [{ data, fetching }] = useQuery({
    query: MacroPreviewQuery,
    variables: { macroId: macro.rowId, ticketId },
    requestPolicy: 'network-only',
  })
  const [, applyMacro] = useMutation(ApplyMacro)
  const { send, isSending, problem } = useSubmission()
  const steps = (data?.previewMacro.nodes ?? []).filter((node) => node !== null)

  const apply = () =>
    void send(async () => {
      dataOf(await applyMacro({ macroId: macro.rowId, ticketId }))
      notify({ tone: 'success', title: t('macro.applied', { name: macro.name }) })
      onApplied()
    })

  return (
    <>
      {macro.description && <p className="text-sm text-muted">{macro.description}</p>}
      {fetching && steps.length === 0 ? (
        <div role="status" aria-label={t('loading')} className="flex flex-col gap-2">
          <Skeleton className="h-5 w-56" />
          <Skeleton className="h-5 w-40" />
        </div>
      ) : (
        <MacroSteps steps={steps} />
      )}
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button variant="primary" onPress={apply} isPending={isSending} isDisabled={steps.length === 0}>
          {t('macro.apply')}
        </Button>
      </div>
    </>
  )
}
