import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import type { ProblemCode } from '../../graphql/errors.ts'
import { BODY_LIMIT } from '../../lib/text-limits.ts'
import { CrossingAnswer } from './composer-notices.tsx'

/** Why what is written was not sent: it lacks words, a file of it is not there, or the server refused it. */
export type ComposerProblem = 'empty' | 'long' | 'wordless' | 'files' | 'refusedFiles' | ProblemCode

/** Refusals after which what was written belongs in a request of its own. */
const OVER: ReadonlySet<string> = new Set(['REOPEN_WINDOW_OVER', 'TICKET_CLOSED', 'TICKET_MERGED'])

export interface ComposerTroubleProps {
  ticketId: string
  problem: ComposerProblem
  onSendAnyway: (seenCommentAt: string) => void
  onFollowUp?: () => void
}

/** Says it, and offers what can be done. */
export function ComposerTrouble({ ticketId, problem, onSendAnyway, onFollowUp }: ComposerTroubleProps) {
  const { t } = useTranslation(['comments', 'components', 'errors'])
  if (problem === 'COMMENT_CONFLICT') {
    return <CrossingAnswer ticketId={ticketId} onSendAnyway={onSendAnyway} />
  }
  function words(): string {
    switch (problem) {
      case 'empty':
        return t('composer.empty')
      case 'wordless':
        return t('composer.wordless')
      case 'long':
        return t('composer.tooLong', { limit: BODY_LIMIT.toLocaleString() })
      case 'files':
        return t('components:files.trouble')
      case 'refusedFiles':
        return t('components:files.troubleRefused')
      default:
        return t(`errors:${problem}`)
    }
  }
  return (
    <div className="px-3 pb-2">
      <InlineAlert>{words()}</InlineAlert>
      {onFollowUp && OVER.has(problem) && (
        <Button size="small" className="mt-2" onPress={onFollowUp}>
          {t('composer.followUp')}
        </Button>
      )}
    </div>
  )
}
