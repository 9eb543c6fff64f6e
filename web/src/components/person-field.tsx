import { useState } from 'react'
import { usePeopleSearch, type FoundPerson } from '../graphql/people-search.ts'
import { Avatar } from './avatar.tsx'
import { Combobox } from './combobox.tsx'

export interface PersonFieldProps {
  label: string
  circle: 'staff' | 'everybody'
  value: FoundPerson | null
  onChange: (person: FoundPerson) => void
  /** Row ids of those who are no choice. */
  except?: readonly string[]
  placeholder?: string
  description?: string
  error?: string | null
}

/** Somebody of the organization, found by name. */
export function PersonField(props: PersonFieldProps) {
  const { label, circle, value, onChange, except = [], placeholder, description, error } = props
  const [search, setSearch] = useState('')
  const found = usePeopleSearch(search, circle).filter(({ rowId }) => !except.includes(rowId))
  const known = value && !found.some(({ rowId }) => rowId === value.rowId) ? [value, ...found] : found
  return (
    <Combobox
      label={label}
      value={value?.rowId ?? null}
      choices={known.map((person) => ({
        value: person.rowId,
        label: person.name,
        description: circle === 'everybody' ? person.email : null,
        mark: <Avatar name={person.name} size="small" />,
      }))}
      onSearch={setSearch}
      onChange={(rowId) => {
        const person = known.find((candidate) => candidate.rowId === rowId)
        if (person) onChange(person)
      }}
      error={error}
      {...(placeholder ? { placeholder } : {})}
      {...(description ? { description } : {})}
    />
  )
}
