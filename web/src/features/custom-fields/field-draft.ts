import type { CustomField } from '../../graphql/custom-fields.ts'
import { typedNumber, type FieldDefinition, type FieldType } from '../../lib/custom-fields.ts'

export const FIELD_TYPES = [
  'text',
  'number',
  'boolean',
  'date',
  'select',
  'multi_select',
  'user',
  'url',
] as const satisfies readonly FieldType[]

export const REQUIREMENTS = ['never', 'creating', 'resolving'] as const

export interface OptionDraft {
  /** Empty until it is saved for the first time. */
  key: string
  label: string
}

/** A field as it stands in the form: numbers as they are typed. */
export interface FieldDraft {
  key: string
  type: FieldType
  label: string
  help: string
  seenByCustomers: boolean
  setByCustomers: boolean
  requiredWhen: FieldDefinition['requiredWhen']
  minimum: string
  maximum: string
  maxLength: string
  options: readonly OptionDraft[]
  /** Null while every service asks for it. */
  serviceIds: readonly string[] | null
  visibleWhenField: string | null
  visibleWhenValues: readonly string[]
}

const asTyped = (number: number | null) => (number === null ? '' : String(number))

export function draftOf(field: CustomField | null): FieldDraft {
  return {
    key: field?.key ?? '',
    type: field?.type ?? 'text',
    label: field?.label ?? '',
    help: field?.help ?? '',
    seenByCustomers: field?.seenByCustomers ?? false,
    setByCustomers: field?.setByCustomers ?? false,
    requiredWhen: field?.requiredWhen ?? 'never',
    minimum: asTyped(field?.minimum ?? null),
    maximum: asTyped(field?.maximum ?? null),
    maxLength: asTyped(field?.maxLength ?? null),
    options:
      field?.options.filter(({ archived }) => !archived).map(({ key, label }) => ({ key, label })) ?? [],
    serviceIds: field && field.serviceIds.length > 0 ? field.serviceIds : null,
    visibleWhenField: field?.visibleWhenField ?? null,
    visibleWhenValues: field?.visibleWhenValues ?? [],
  }
}

export const hasOptions = (type: FieldType) => type === 'select' || type === 'multi_select'
export const hasLength = (type: FieldType) => type === 'text' || type === 'url'

/** A key made of a name: "Kosten­stelle (neu)" becomes `kostenstelle_neu`. */
export function keyOf(label: string): string {
  return label
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[_0-9]+|_+$/g, '')
    .slice(0, 40)
    .replace(/_+$/, '')
}

/** Options with a key each: the one it has, or one of its name that no other has. */
export function keyedOptions(options: readonly OptionDraft[], taken: readonly string[] = []): OptionDraft[] {
  const used = new Set([...taken, ...options.map(({ key }) => key)])
  return options.map(({ key, label }) => {
    if (key !== '') return { key, label: label.trim() }
    const wanted = keyOf(label) || 'option'
    let free = wanted
    for (let number = 2; used.has(free); number += 1) free = `${wanted.slice(0, 36)}_${number}`
    used.add(free)
    return { key: free, label: label.trim() }
  })
}

/** What a field can decide about: those that hold one of a few values, and that customers see if they see this one. */
export function deciders<Field extends FieldDefinition>(
  fields: readonly Field[],
  draft: FieldDraft,
): Field[] {
  return fields.filter(
    (field) =>
      field.key !== draft.key &&
      field.archivedAt === null &&
      (field.type === 'boolean' || hasOptions(field.type)) &&
      (!draft.seenByCustomers || field.seenByCustomers),
  )
}

export type DraftFault =
  'label' | 'labelLong' | 'key' | 'options' | 'number' | 'range' | 'length' | 'services' | 'values'
export type DraftFaults = Partial<Record<keyof FieldDraft, DraftFault>>

/** What is wrong with a draft, by the part of it. */
export function draftFaults(draft: FieldDraft): DraftFaults {
  const faults: DraftFaults = {}
  const label = draft.label.trim()
  if (label === '') faults.label = 'label'
  else if ([...label].length > 80) faults.label = 'labelLong'
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(draft.key)) faults.key = 'key'
  if (hasOptions(draft.type)) {
    const names = draft.options.map((option) => option.label.trim())
    if (names.length === 0 || names.includes('') || new Set(names).size < names.length)
      faults.options = 'options'
  }
  if (draft.type === 'number') {
    for (const part of ['minimum', 'maximum'] as const) {
      if (draft[part].trim() !== '' && typedNumber(draft[part]) === null) faults[part] = 'number'
    }
    const [least, most] = [typedNumber(draft.minimum), typedNumber(draft.maximum)]
    if (least !== null && most !== null && least > most) faults.maximum = 'range'
  }
  if (hasLength(draft.type) && draft.maxLength.trim() !== '') {
    const length = Number(draft.maxLength)
    if (!Number.isInteger(length) || length < 1 || length > 5000) faults.maxLength = 'length'
  }
  if (draft.serviceIds?.length === 0) faults.serviceIds = 'services'
  if (draft.visibleWhenField !== null && draft.visibleWhenValues.length === 0)
    faults.visibleWhenValues = 'values'
  return faults
}

/** A draft without faults as the API takes it. */
export function sentDraft(draft: FieldDraft, takenOptionKeys: readonly string[] = []) {
  const isNumber = draft.type === 'number'
  const length = draft.maxLength.trim()
  return {
    label: draft.label.trim(),
    help: draft.help.trim() || null,
    setByCustomers: draft.seenByCustomers && draft.setByCustomers && draft.type !== 'user',
    requiredWhen: draft.requiredWhen,
    minimum: isNumber ? typedNumber(draft.minimum) : null,
    maximum: isNumber ? typedNumber(draft.maximum) : null,
    maxLength: hasLength(draft.type) && length !== '' ? Number(length) : null,
    options: hasOptions(draft.type) ? keyedOptions(draft.options, takenOptionKeys) : [],
    serviceIds: [...(draft.serviceIds ?? [])],
    visibleWhenField: draft.visibleWhenField,
    visibleWhenValues: draft.visibleWhenField === null ? [] : [...draft.visibleWhenValues],
  }
}
