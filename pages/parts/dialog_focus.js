// @ts-check
// The focus in a dialog of Streamlit's, when a run takes away what has it, as Send does with its form.

const DIALOG = '.stDialog [role="dialog"]'

/**
 * Give the focus to the dialog itself then. Streamlit's own dialog would give it to its first button, but goes by
 * `focusout`, which a browser need not fire for a node that is removed.
 */
export function keepFocusInDialog() {
  /** @type {HTMLElement | null} */
  let dialog = null
  /** @type {Element | null} */
  let focused = null
  const observer = new MutationObserver(() => {
    if (!focused?.isConnected && document.activeElement === document.body) dialog?.focus()
  })
  document.addEventListener("focusin", ({ target }) => {
    focused = target instanceof Element ? target : null
    const next = /** @type {HTMLElement | null} */ (focused?.closest(DIALOG) ?? null)
    if (next === dialog) return
    observer.disconnect()
    dialog = next
    if (dialog) observer.observe(dialog, { childList: true, subtree: true })
  })
}
