import { useTranslation } from 'react-i18next'
import { ToggleButton } from 'react-aria-components/ToggleButton'
import { ToggleButtonGroup } from 'react-aria-components/ToggleButtonGroup'
import { classNames } from '../../lib/class-names.ts'
import { ScoreFace } from './score-face.tsx'
import { moodOf, readScore, SCORES, type Mood, type Score } from './scores.ts'

const CHOSEN: Record<Mood, string> = {
  bad: 'data-[selected]:border-danger-text data-[selected]:bg-danger-soft',
  even: 'data-[selected]:border-warning-text data-[selected]:bg-warning-soft',
  good: 'data-[selected]:border-success-text data-[selected]:bg-success-soft',
}

export interface ScoreScaleProps {
  label: string
  value: Score | null
  onChoose: (score: Score) => void
}

/** The five answers, side by side. Arrow keys go from one to the next and choose nothing: each choice is told at once. */
export function ScoreScale({ label, value, onChoose }: ScoreScaleProps) {
  const { t } = useTranslation('satisfaction')
  return (
    <ToggleButtonGroup
      aria-label={label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={value === null ? [] : [String(value)]}
      onSelectionChange={(keys) => {
        const score = readScore([...keys][0])
        if (score !== null) onChoose(score)
      }}
      className="grid grid-cols-5 gap-1.5 sm:gap-2.5"
    >
      {SCORES.map((score) => (
        <ToggleButton
          key={score}
          id={String(score)}
          className={classNames(
            'group flex min-w-0 cursor-pointer flex-col items-center gap-1.5 rounded-lg border border-border bg-surface px-0.5 py-3 text-center transition-colors data-[hovered]:border-border-strong data-[hovered]:bg-hover data-[selected]:font-semibold',
            CHOSEN[moodOf(score)],
          )}
        >
          <ScoreFace
            score={score}
            className="size-7 transition-transform group-data-[selected]:scale-115 sm:size-8"
          />
          <span className="figures text-sm font-semibold">{score}</span>
          <span className="text-xs leading-tight [overflow-wrap:anywhere] hyphens-auto text-muted group-data-[selected]:text-text">
            {t(`score.${score}`)}
          </span>
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  )
}
