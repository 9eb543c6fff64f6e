import type { ReactNode } from 'react'
import { ToggleButton } from 'react-aria-components/ToggleButton'
import { ToggleButtonGroup } from 'react-aria-components/ToggleButtonGroup'
import { classNames } from '../lib/class-names.ts'

export interface SegmentedProps<Value extends string> {
  label: string
  value: Value
  onChange: (value: Value) => void
  segments: readonly {
    value: Value
    label: string
    mark?: ReactNode
    className?: string
    isDisabled?: boolean
  }[]
}

/** Two or three ways to see or do the same thing; one is on. */
export function Segmented<Value extends string>({ label, value, onChange, segments }: SegmentedProps<Value>) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const chosen = segments.find((segment) => keys.has(segment.value))
        if (chosen) onChange(chosen.value)
      }}
      className="inline-flex gap-0.5 rounded-lg bg-sunken p-0.5"
    >
      {segments.map((segment) => (
        <ToggleButton
          key={segment.value}
          id={segment.value}
          isDisabled={segment.isDisabled ?? false}
          className={classNames(
            'touch-target inline-flex h-7.5 items-center gap-1.5 rounded-md px-3 text-sm font-medium text-muted transition-colors data-[disabled]:opacity-55 data-[hovered]:text-text data-[selected]:bg-raised data-[selected]:text-text data-[selected]:shadow-card',
            segment.className,
          )}
        >
          {segment.mark}
          {segment.label}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  )
}
