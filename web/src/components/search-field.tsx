import { Search, X } from 'lucide-react'
import { Button } from 'react-aria-components/Button'
import { Input } from 'react-aria-components/Input'
import {
  SearchField as AriaSearchField,
  type SearchFieldProps as AriaSearchFieldProps,
} from 'react-aria-components/SearchField'
import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { inputClass } from './field-classes.ts'

export interface SearchFieldProps {
  label: string
  value: string
  onChange: (value: string) => void
  /** For what the arrow keys lead to. */
  onKeyDown?: AriaSearchFieldProps['onKeyDown']
  className?: string
}

/** Narrows what is shown by a word; Escape empties it. */
export function SearchField({ label, value, onChange, onKeyDown, className }: SearchFieldProps) {
  const { t } = useTranslation('components')
  return (
    <AriaSearchField
      aria-label={label}
      value={value}
      onChange={onChange}
      {...(onKeyDown ? { onKeyDown } : {})}
      className={classNames('group relative', className)}
    >
      <Search
        className="pointer-events-none absolute start-3 top-1/2 size-4 -translate-y-1/2 text-faint"
        aria-hidden="true"
      />
      <Input
        placeholder={label}
        autoComplete="off"
        spellCheck="false"
        className={classNames(inputClass, 'h-9 ps-9 pe-9 text-sm [&::-webkit-search-cancel-button]:hidden')}
      />
      <Button
        aria-label={t('clear')}
        className="touch-target absolute! end-1 top-1 grid size-7 place-items-center rounded-md text-muted group-data-[empty]:hidden data-[hovered]:bg-hover data-[hovered]:text-text"
      >
        <X className="size-4" aria-hidden="true" />
      </Button>
    </AriaSearchField>
  )
}
