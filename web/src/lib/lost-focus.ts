/**
 * What is removed with the focus inside leaves it nowhere, and a keyboard begins at the top of the page again. To be
 * called when something goes: the page's heading takes the focus then, as after a navigation.
 */
export function catchLostFocus(): void {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) {
      document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
    }
  })
}
