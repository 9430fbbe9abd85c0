// @ts-check
// Whoever is signed out gets the sign-in page: Streamlit only says that the connection is lost, and tries again.

const ASKED_BEFORE_CONNECTING = "/_stcore/host-config"

/** Where the window notes that it is being left; loader.js has the same. */
const LEAVING = Symbol.for("visitor-monitor-leaving")

/** Whenever Streamlit connects anew, ask whether this browser is still signed in. */
export function watchSession() {
  new PerformanceObserver((list) => {
    const asked = list.getEntries().find(({ name }) => name.endsWith(ASKED_BEFORE_CONNECTING))
    if (asked) leaveIfSignedOut(`${asked.name}?signed-in`)
  }).observe({ type: "resource" })
}

/**
 * Another reload would begin the first one anew: on a slow line none would arrive.
 * @param {string} address which only those who are signed in may read
 */
async function leaveIfSignedOut(address) {
  try {
    const { status } = await fetch(address, { cache: "no-store" })
    if (status !== 401 || LEAVING in window) return
    Object.assign(window, { [LEAVING]: true })
    location.reload()
  } catch {
    // There is no connection: Streamlit goes on trying, and with it this.
  }
}
