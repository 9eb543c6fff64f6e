/** What there is of an element to see whether its text is cut off. */
type Clippable = Pick<HTMLElement, 'scrollWidth' | 'clientWidth' | 'title' | 'textContent'>

const NAMED = 'clippedTitle'

/** Gives an element whose text ends in an ellipsis the whole of it as a title, and takes it away where there is room. */
export function nameClipped(element: Clippable & { dataset: DOMStringMap }): void {
  const isClipped = element.scrollWidth > element.clientWidth
  // One that somebody gave it is not touched.
  if (element.title && !(NAMED in element.dataset)) return
  if (isClipped) {
    element.title = element.textContent?.trim() ?? ''
    element.dataset[NAMED] = ''
  } else if (NAMED in element.dataset) {
    element.title = ''
    delete element.dataset[NAMED]
  }
}

/** Has every name that is cut off tell the rest to the pointer that rests on it. Screen readers read the whole anyway. */
export function nameWhatIsClipped(): void {
  document.addEventListener('pointerover', ({ target }) => {
    if (!(target instanceof Element)) return
    // A link may be spread over a whole row, with the name inside it or around it.
    const clipped =
      target.closest<HTMLElement>('.truncate') ?? target.querySelector<HTMLElement>(':scope > .truncate')
    if (clipped) nameClipped(clipped)
  })
}
