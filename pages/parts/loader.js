// @ts-check
// What Streamlit sends of a component, with every draw: it loads the script, which the browser keeps.

/** @import { ComponentArguments } from "./streamlit.js" */

const ADDRESS = new URL("ADDRESS OF THE SCRIPT", location.href).href
const LONGEST_WAIT = 5_000

/** Where an element keeps its newest draw. After an upgrade the page has this code twice: once for each version. */
const NEWEST = Symbol.for("visitor-monitor-draw")

/** Where the window notes that it is being left; session_watch.js has the same. */
const LEAVING = Symbol.for("visitor-monitor-leaving")

/** @type {Promise<any> | undefined} */
let loading

/**
 * Streamlit runs the cleanup of a draw that ends after the next one has begun: only the newest may act.
 * @param {ComponentArguments<any>} component
 */
export default async function draw(component) {
  const element = /** @type {any} */ (component.parentElement)
  const draw = { ...element[NEWEST] }
  element[NEWEST] = draw
  const script = await (loading ??= load(1))
  if (element[NEWEST] !== draw) return
  if (draw.script !== script) {
    draw.stop?.()
    element.adoptedStyleSheets = [script.componentStyles]
  }
  draw.script = script
  draw.stop = script.default({ ...component, data: script.readData(component.data) })
  return () => element[NEWEST] === draw && draw.stop()
}

/**
 * Without an end, as when the dashboard starts anew: the page then goes on by itself. A browser does not
 * ask again for an address that it once could not load.
 * @param {number} attempt
 * @returns {Promise<any>}
 */
async function load(attempt) {
  try {
    return await import(attempt === 1 ? ADDRESS : `${ADDRESS}?${attempt}`)
  } catch {
    await leaveIfSignedOut()
    await new Promise((done) => setTimeout(done, Math.min(attempt * 500, LONGEST_WAIT)))
    return load(attempt + 1)
  }
}

/** Without the script nothing else on the page would know. Another reload would begin the first one anew. */
async function leaveIfSignedOut() {
  const answer = await fetch(ADDRESS, { cache: "no-store" }).catch(() => undefined)
  if (answer?.status !== 401 || LEAVING in window) return
  Object.assign(window, { [LEAVING]: true })
  location.reload()
}
