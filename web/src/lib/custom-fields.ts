/** What a custom field holds. */
export type FieldType = 'text' | 'number' | 'boolean' | 'date' | 'select' | 'multi_select' | 'user' | 'url'

export interface FieldOption {
  key: string
  label: string
  archived: boolean
}

/** A custom field as far as forms and values need it. */
export interface FieldDefinition {
  key: string
  type: FieldType
  label: string
  help: string | null
  seenByCustomers: boolean
  setByCustomers: boolean
  requiredWhen: 'never' | 'creating' | 'resolving'
  minimum: number | null
  maximum: number | null
  maxLength: number | null
  visibleWhenField: string | null
  visibleWhenValues: readonly string[]
  archivedAt: string | null
  options: readonly FieldOption[]
  /** The services that ask for it; none when all do. */
  serviceIds: readonly string[]
}

/** Values by the key of their field, as the API has them. */
export type FieldValues = Readonly<Record<string, unknown>>

/** The API hands JSON over as it is; what is no object has no values. */
export function fieldValues(json: unknown): FieldValues {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as FieldValues) : {}
}

/** The options in an answer of the API. */
export function fieldOptions(json: unknown): FieldOption[] {
  if (!Array.isArray(json)) return []
  return json.flatMap((each: unknown) => {
    const { key, label, archived } = fieldValues(each)
    return typeof key === 'string' && typeof label === 'string'
      ? [{ key, label, archived: archived === true }]
      : []
  })
}

/**
 * The fields that a ticket of a service asks for while it has these values, in order. The database decides the same
 * way; here it is for a form that follows what is being chosen.
 */
export function askedFields<Field extends FieldDefinition>(
  fields: readonly Field[],
  serviceId: string | null,
  values: FieldValues,
): Field[] {
  const byKey = new Map(fields.map((field) => [field.key, field]))
  const isAsked = (field: Field, depth: number): boolean => {
    if (field.archivedAt !== null || depth > fields.length) return false
    if (field.serviceIds.length > 0 && !(serviceId !== null && field.serviceIds.includes(serviceId)))
      return false
    if (field.visibleWhenField === null) return true
    const decider = byKey.get(field.visibleWhenField)
    if (!decider || !isAsked(decider, depth + 1)) return false
    const decided = values[decider.key]
    return (Array.isArray(decided) ? decided : [decided]).some((each) =>
      field.visibleWhenValues.includes(String(each)),
    )
  }
  return fields.filter((field) => isAsked(field, 0))
}

/** Whether a value says anything; `false` does. */
export function isFilled(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== ''
  return Array.isArray(value) ? value.length > 0 : value !== null && value !== undefined
}

/** Why a value cannot be sent. The server refuses the same, and what is not looked at here. */
export type FieldFault = 'missing' | 'number' | 'least' | 'most' | 'long' | 'address'

export function fieldFault(field: FieldDefinition, value: unknown, isRequired: boolean): FieldFault | null {
  if (!isFilled(value)) return isRequired ? 'missing' : null
  const text = String(value).trim()
  switch (field.type) {
    case 'number': {
      const number = typedNumber(text)
      if (number === null) return 'number'
      if (field.minimum !== null && number < field.minimum) return 'least'
      return field.maximum !== null && number > field.maximum ? 'most' : null
    }
    case 'text':
    case 'url':
      if ([...text].length > lengthLimit(field)) return 'long'
      return field.type === 'url' && !/^https?:\/\/[^\s/?#"<>]+([/?#][^\s"<>]*)?$/i.test(text)
        ? 'address'
        : null
    default:
      return null
  }
}

/** How many characters a text or an address may have. */
export function lengthLimit({ type, maxLength }: FieldDefinition): number {
  return maxLength ?? (type === 'url' ? 2000 : 1000)
}

/** A number as people type it: with a point or a comma. */
export function typedNumber(text: string): number | null {
  const plain = text.trim().replace(',', '.')
  return /^-?\d{1,15}(\.\d{1,9})?$/.test(plain) ? Number(plain) : null
}

/** What is in a form, as the API takes it. An empty one is null, which takes the value out. */
export function sentValue(field: FieldDefinition, value: unknown): unknown {
  if (!isFilled(value)) return null
  if (field.type === 'number') return typedNumber(String(value)) ?? value
  return typeof value === 'string' ? value.trim() : value
}

/** How a value is put into words in the reader's language. */
export interface FieldWords {
  language: string
  yes: string
  no: string
  /** What somebody is called, as far as that is known. */
  person?: (userId: string) => string | undefined
}

/** A value as people read it: in lists, on tickets, in sentences. */
export function fieldText(
  field: Pick<FieldDefinition, 'type' | 'options'>,
  value: unknown,
  words: FieldWords,
): string {
  const labelOf = (key: unknown) => field.options.find((option) => option.key === key)?.label ?? String(key)
  switch (field.type) {
    case 'boolean':
      return value === true ? words.yes : value === false ? words.no : ''
    case 'number':
      return typeof value === 'number'
        ? new Intl.NumberFormat(words.language, { maximumFractionDigits: 9 }).format(value)
        : ''
    case 'date':
      // A date has no time zone: it is read and written in the same one.
      return typeof value === 'string'
        ? new Intl.DateTimeFormat(words.language, { dateStyle: 'medium', timeZone: 'UTC' }).format(
            new Date(`${value}T00:00:00Z`),
          )
        : ''
    case 'select':
      return isFilled(value) ? labelOf(value) : ''
    case 'multi_select':
      return Array.isArray(value)
        ? new Intl.ListFormat(words.language, { type: 'unit' }).format(value.map(labelOf))
        : ''
    case 'user':
      return typeof value === 'string' ? (words.person?.(value) ?? '') : ''
    case 'text':
    case 'url':
      return typeof value === 'string' ? value : ''
  }
}
