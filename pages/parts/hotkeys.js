// @ts-check
// Streamlit's own single-letter keys: `r` runs the page again, `c` clears the caches.

/** Keep letters from them, wherever on the page they are typed; what handles a key on its way here has done so. */
export function silenceHotkeys() {
  document.body.addEventListener("keydown", (event) => {
    if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation()
  })
}
