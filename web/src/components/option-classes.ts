/** A line that can be chosen, in a menu or a list. */
export const optionClass =
  'flex min-h-9 items-center gap-2.5 rounded-md px-2.5 py-1.5 text-sm text-text outline-none select-none pointer-coarse:min-h-11 ' +
  'data-[focused]:bg-hover data-[disabled]:text-faint'
