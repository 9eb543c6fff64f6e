import { BODY_LIMIT, SUBJECT_LIMIT } from '../../lib/text-limits.ts'
import type { Priority } from '../../components/priority-mark.tsx'

/** A template as it is typed. */
export interface TemplateDraft {
  name: string
  subject: string
  body: string
  priority: Priority
  serviceId: string | null
  /** Separated by commas. */
  tags: string
  /** One step on each line. */
  checklist: string
  seenByCustomers: boolean
}

export const BLANK_TEMPLATE: TemplateDraft = {
  name: '',
  subject: '',
  body: '',
  priority: 'normal',
  serviceId: null,
  tags: '',
  checklist: '',
  seenByCustomers: false,
}

export const NAME_LIMIT = 80
const STEP_LIMIT = 500
const MOST_STEPS = 100
const TAG_LIMIT = 40
const MOST_TAGS = 30

const parts = (text: string, separator: RegExp) =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** What is saved of a draft. */
export function templateOf(draft: TemplateDraft) {
  return {
    name: draft.name.trim(),
    subject: draft.subject.trim() || null,
    body: draft.body.trim() || null,
    priority: draft.priority,
    serviceId: draft.serviceId,
    tags: parts(draft.tags, /,/),
    checklist: parts(draft.checklist, /\r?\n/),
    seenByCustomers: draft.seenByCustomers,
  }
}

export type TemplateFault = 'nameMissing' | 'nameLong' | 'subjectLong' | 'bodyLong' | 'tags' | 'checklist'

/** The first thing that keeps a draft from being saved. */
export function templateFault(draft: TemplateDraft): TemplateFault | null {
  const template = templateOf(draft)
  if (template.name === '') return 'nameMissing'
  if (template.name.length > NAME_LIMIT) return 'nameLong'
  if (template.subject && template.subject.length > SUBJECT_LIMIT) return 'subjectLong'
  if (template.body && template.body.length > BODY_LIMIT) return 'bodyLong'
  if (
    template.tags.length > MOST_TAGS ||
    template.tags.some((tag) => tag.length > TAG_LIMIT || tag.includes('"'))
  )
    return 'tags'
  if (template.checklist.length > MOST_STEPS || template.checklist.some((step) => step.length > STEP_LIMIT))
    return 'checklist'
  return null
}
