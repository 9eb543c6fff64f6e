import { fieldText, type FieldDefinition, type FieldWords } from '../../lib/custom-fields.ts'

/** A value that a condition names, as people read it. */
export function decidedText(decider: FieldDefinition, value: string, words: FieldWords): string {
  return decider.type === 'boolean'
    ? fieldText(decider, value === 'true', words)
    : fieldText({ type: 'select', options: decider.options }, value, words)
}

/** The condition on which a field is asked for, in words; null for always. */
export function conditionText(
  field: FieldDefinition,
  fields: readonly FieldDefinition[],
  words: FieldWords,
): { field: string; values: string } | null {
  const decider = fields.find(({ key }) => key === field.visibleWhenField)
  if (!decider) return null
  const values = field.visibleWhenValues.map((value) => decidedText(decider, value, words))
  return {
    field: decider.label,
    values: new Intl.ListFormat(words.language, { type: 'disjunction' }).format(values),
  }
}
