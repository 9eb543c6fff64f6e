import type { FieldDefinition, FieldType } from './custom-fields.ts'
import type { Condition, Operator } from './ticket-rules.ts'

const PREFIX = 'custom_fields.'

/** The key of the custom field that a condition or a column is about; null for what every ticket has. */
export const customFieldKey = (name: string): string | null =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null

export const customFieldName = (key: string): string => `${PREFIX}${key}`

const PRESENCE = ['is_empty', 'is_not_empty'] as const
const SAME = ['is', 'is_not', ...PRESENCE] as const
const MEASURED = ['is', 'is_not', 'at_least', 'at_most', ...PRESENCE] as const
const WRITTEN = ['contains', 'is', 'is_not', ...PRESENCE] as const

/** What can be asked of a value, by what it is. */
export const FIELD_OPERATORS: Record<FieldType, readonly Operator[]> = {
  text: WRITTEN,
  url: WRITTEN,
  number: MEASURED,
  date: MEASURED,
  boolean: SAME,
  select: SAME,
  multi_select: SAME,
  user: SAME,
}

const FIRST_VALUE: Record<FieldType, unknown> = {
  text: '',
  url: '',
  number: '',
  date: '',
  boolean: true,
  select: '',
  multi_select: [],
  user: '',
}

const isForm: Record<FieldType, (value: unknown) => boolean> = {
  text: (value) => typeof value === 'string',
  url: (value) => typeof value === 'string',
  date: (value) => typeof value === 'string',
  select: (value) => typeof value === 'string',
  user: (value) => typeof value === 'string',
  // Or what is being typed and is none yet.
  number: (value) => typeof value === 'number' || typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  multi_select: (value) => Array.isArray(value),
}

export const asksForValue = (operator: string): boolean => !PRESENCE.includes(operator as never)

/** A condition on a custom field to begin with. */
export function blankFieldCondition({ key, type }: Pick<FieldDefinition, 'key' | 'type'>): Condition {
  return { field: customFieldName(key), operator: FIELD_OPERATORS[type][0]!, value: FIRST_VALUE[type] }
}

/** A condition on a custom field with another operator, and with a value where that one needs it. */
export function withFieldOperator(condition: Condition, operator: Operator, type: FieldType): Condition {
  const { field, value } = condition
  return asksForValue(operator) ? { field, operator, value: value ?? FIRST_VALUE[type] } : { field, operator }
}

/** The field a condition is about, if its value can be asked for in the way of that field. */
export function editableField<Field extends Pick<FieldDefinition, 'key' | 'type'>>(
  { field, operator, value }: Condition,
  fields: readonly Field[],
): Field | null {
  const key = customFieldKey(field)
  const definition = fields.find((each) => each.key === key)
  if (!definition || !FIELD_OPERATORS[definition.type].includes(operator as Operator)) return null
  return !asksForValue(operator) || isForm[definition.type](value) ? definition : null
}
