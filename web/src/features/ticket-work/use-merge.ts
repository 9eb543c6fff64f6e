import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'

const MergeTicket = graphql(`
  mutation MergeTicket($sourceTicketId: UUID!, $targetTicketId: UUID!) {
    mergeTicket(input: { sourceTicketId: $sourceTicketId, targetTicketId: $targetTicketId }) {
      merge {
        id
        rowId
      }
    }
  }
`)

const UndoMerge = graphql(`
  mutation UndoMerge($mergeId: UUID!) {
    undoMerge(input: { mergeId: $mergeId }) {
      merge {
        id
        undoneAt
      }
    }
  }
`)

/** Merges a ticket into another and takes that back; `onChanged` reads the page again. */
export function useMerge(onChanged: () => void) {
  const { t } = useTranslation(['ticket-work', 'errors'])
  const [, mergeTicket] = useMutation(MergeTicket)
  const [, undoMerge] = useMutation(UndoMerge)

  async function undo(mergeId: string): Promise<void> {
    const { error } = await undoMerge({ mergeId })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
    else notify({ tone: 'success', title: t('merge.undone') })
    onChanged()
  }

  /** Throws what it was refused for. */
  async function merge(sourceTicketId: string, target: { rowId: string; reference: string }): Promise<void> {
    const data = dataOf(await mergeTicket({ sourceTicketId, targetTicketId: target.rowId }))
    const mergeId = data.mergeTicket?.merge?.rowId
    notify({
      tone: 'success',
      title: t('merge.done', { reference: target.reference }),
      ...(mergeId ? { action: { label: t('undo'), onPress: () => void undo(mergeId) } } : {}),
    })
    onChanged()
  }

  return { merge, undo }
}
