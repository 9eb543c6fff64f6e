/** What every field shares, so that a text field and a select in one form line up. */
export const labelClass = 'text-sm font-medium text-text'
export const descriptionClass = 'text-sm text-muted'
export const errorClass = 'flex items-start gap-1.5 text-sm text-danger-text'
export const inputClass =
  'w-full rounded-md border border-border-strong bg-surface px-3 text-base text-text shadow-card transition-[border-color] ' +
  'data-[hovered]:border-muted data-[focused]:border-focus data-[focused]:outline-2 data-[focused]:outline-offset-0 data-[focused]:outline-focus ' +
  'data-[invalid]:border-danger data-[disabled]:opacity-60'
