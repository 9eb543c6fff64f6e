import { Angry, Frown, Laugh, Meh, Smile, type LucideIcon } from 'lucide-react'
import { classNames } from '../../lib/class-names.ts'
import { moodOf, type Mood, type Score } from './scores.ts'

const FACES: Record<Score, LucideIcon> = { 1: Angry, 2: Frown, 3: Meh, 4: Smile, 5: Laugh }

/** What stands out on the ground of a page. */
export const MOOD_INK: Record<Mood, string> = {
  bad: 'text-danger-text',
  even: 'text-warning-text',
  good: 'text-success-text',
}

/** A score as a face; decorative, words beside it say the same. */
export function ScoreFace({ score, className }: { score: Score; className?: string }) {
  const Face = FACES[score]
  return <Face className={classNames('shrink-0', MOOD_INK[moodOf(score)], className)} aria-hidden="true" />
}
