// @ts-check
// Whoever is signed out gets the sign-in page: Streamlit only says that the connection is lost, and tries again.

const ASKED_BEFORE_CONNECTING = "/_stcore/host-config"

/** Whenever Streamlit connects anew, ask whether this browser is still signed in. */
export function watchSession() {
  new PerformanceObserver((list) => {
    const asked = list.getEntries().find(({ name }) => name.endsWith(ASKED_BEFORE_CONNECTING))
    if (asked) leaveIfSignedOut(`${asked.name}?signed-in`)
  }).observe({ type: "resource" })
}

/** @param {string} address which only those who are signed in may read */
async function leaveIfSignedOut(address) {
  try {
    const { status } = await fetch(address, { cache: "no-store" })
    if (status === 401) location.reload()
  } catch {
    // There is no connection: Streamlit goes on trying, and with it this.
  }
}
