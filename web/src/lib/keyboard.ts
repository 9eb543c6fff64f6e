/** Whether one most likely types on keys: on glass, a field that has the focus unasked covers half the page. */
export function hasKeyboard(): boolean {
  return matchMedia('(min-width: 64rem) and (pointer: fine)').matches
}
