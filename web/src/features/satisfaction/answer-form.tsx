import { CircleCheck } from 'lucide-react'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSubmission } from '../../lib/submission.ts'
import { ScoreScale } from './score-scale.tsx'
import { COMMENT_LIMIT, type Score } from './scores.ts'
import { whenSeen } from './survey-link.ts'

export interface AnswerFormProps {
  /** What is asked; it names the scale. */
  question: string
  score: Score | null
  comment: string | null
  expiresAt: string
  /** Says it to the server, which keeps a comment that is not said. */
  onAnswer: (score: Score, comment?: string) => Promise<void>
  /** A score that was chosen elsewhere, in the mail, and is told as soon as somebody sees this. */
  chosen?: Score | null
}

/** One click says how it went; words may follow, and both may change until the time is over. */
export function AnswerForm({
  question,
  score,
  comment,
  expiresAt,
  onAnswer,
  chosen = null,
}: AnswerFormProps) {
  const { t, i18n } = useTranslation('satisfaction')
  const { send, isSending, problem } = useSubmission()
  const [clicked, setClicked] = useState<Score | null>(null)
  const [typed, setTyped] = useState<string | null>(null)
  const [isSaid, setIsSaid] = useState(false)
  const thanks = useRef<HTMLParagraphElement>(null)
  const shown = clicked ?? score
  const text = typed ?? comment ?? ''
  const isLong = [...text.trim()].length > COMMENT_LIMIT
  const isUnsaid = text.trim() !== (comment ?? '')

  function choose(next: Score) {
    if (isSending || next === score) return
    setClicked(next)
    setIsSaid(false)
    void send(
      async () => {
        await onAnswer(next)
        setClicked(null)
      },
      () => setClicked(null),
    )
  }

  useEffect(() => {
    if (chosen !== null) void whenSeen().then(() => choose(chosen))
    // Once: afterwards only what is clicked here counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])

  // The button that was pressed has nothing more to send, and gives up the focus.
  useEffect(() => {
    if (isSaid) thanks.current?.focus()
  }, [isSaid])

  function submit(event: FormEvent) {
    event.preventDefault()
    if (shown === null || isLong || !isUnsaid) return
    void send(async () => {
      await onAnswer(shown, text.trim())
      setTyped(null)
      setIsSaid(true)
    })
  }

  const day = new Intl.DateTimeFormat(readerLocale(i18n.language), { dateStyle: 'long' }).format(
    new Date(expiresAt),
  )
  return (
    <div className="flex flex-col gap-5">
      <ScoreScale label={question} value={shown} onChoose={choose} />
      {/* There from the beginning, so that what comes to stand in it is read out. */}
      <p
        ref={thanks}
        role="status"
        tabIndex={-1}
        className="flex items-start gap-2 text-sm text-muted empty:hidden"
      >
        {score !== null && !problem && (
          <>
            <CircleCheck className="mt-px size-4 shrink-0 text-success-text" aria-hidden="true" />
            <span>{t(isSaid ? 'answer.said' : 'answer.thanks', { day })}</span>
          </>
        )}
      </p>
      {problem && <ProblemAlert problem={problem} />}
      {score !== null && (
        <form onSubmit={submit} noValidate className="flex flex-col gap-4">
          <TextArea
            label={t('answer.comment')}
            rows={3}
            limit={COMMENT_LIMIT}
            value={text}
            onChange={(next) => {
              setTyped(next)
              setIsSaid(false)
            }}
            error={
              isLong ? t('answer.commentLong', { limit: COMMENT_LIMIT.toLocaleString(i18n.language) }) : null
            }
          />
          <Button
            type="submit"
            variant="primary"
            className="self-start"
            isPending={isSending && typed !== null}
            isDisabled={!isUnsaid || isLong}
          >
            {t('answer.send')}
          </Button>
        </form>
      )}
    </div>
  )
}
