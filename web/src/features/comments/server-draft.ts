import { FileFragment, heldFile } from '../../graphql/attachments.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import type { ServerDraft } from './reply-draft.ts'

export const ReplyDraftContent = graphql(
  `
    fragment ReplyDraftContent on TicketDraft {
      body
      visibility
      version
      stateId
      refusedCode
      attachments(first: 50) {
        nodes {
          id
          ...File
        }
      }
    }
  `,
  [FileFragment],
)

/** A draft of the API as the composer goes on with it. */
export function serverDraft(held: FragmentOf<typeof ReplyDraftContent>): ServerDraft {
  const { attachments, ...draft } = readFragment(ReplyDraftContent, held)
  return { ...draft, files: attachments.nodes.flatMap((node) => (node ? [heldFile(node)] : [])) }
}
