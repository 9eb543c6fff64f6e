/**
 * Copies a text. The clipboard proper exists on secure origins only, and a desk may be tried out over plain HTTP in its
 * own network; there an old command does it, from a field that is there for a moment. Answers whether it worked.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyByCommand(text)
  }
}

function copyByCommand(text: string): boolean {
  const focused = document.activeElement
  const field = document.createElement('textarea')
  field.value = text
  field.readOnly = true
  field.setAttribute('aria-hidden', 'true')
  field.className = 'sr-only'
  // Inside the dialog that holds the focus, if there is one: outside of it nothing may take it.
  const parent = focused?.closest('[role="dialog"], [role="alertdialog"]') ?? document.body
  parent.append(field)
  field.select()
  let isCopied = false
  try {
    isCopied = document.execCommand('copy')
  } catch {
    // Forbidden: the text can still be marked by hand.
  }
  field.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return isCopied
}
