// @ts-check
// Has what contains it drawn anew when its site has changed, and says how old the page is.

import { MomentView } from "./moment_view.js"
import { SiteStream } from "./site_stream.js"

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { PulseData } from "./pulse_types.js" */

/** @type {WeakMap<ParentNode, Pulse>} */
const PULSES = new WeakMap()
const DRAWN_WITHIN = 10_000

/** @type {SiteStream | undefined} The one of this page. */
let stream

/** @param {ComponentArguments<PulseData>} component */
export default function draw(component) {
  const { parentElement } = component
  const pulse = PULSES.get(parentElement) ?? new Pulse(component)
  PULSES.set(parentElement, pulse)
  pulse.refresh(component)
  return () => {
    pulse.stop()
    PULSES.delete(parentElement)
  }
}

class Pulse {
  /** @param {ComponentArguments<PulseData>} component */
  constructor({ parentElement, data }) {
    this.stream = stream ??= new SiteStream(data.silent_for)
    this.line = data.line ? new MomentView(parentElement) : null
    this.sent = 0
    this.sentAt = 0
    this.isDrawn = true
    this.look = () => this.follow()
    this.unsubscribe = this.stream.subscribe(this.look)
    document.addEventListener("visibilitychange", this.look)
  }

  /** @param {ComponentArguments<PulseData>} component */
  refresh({ data, setStateValue }) {
    this.data = data
    this.send = setStateValue
    this.isDrawn = true
    this.follow()
  }

  /** Show whether the page is live, and have it drawn if it is behind. A hidden page waits. */
  follow() {
    const { data, stream } = this
    if (!data) return
    if (data.line) this.line?.show(data.line, data.is_pushed, stream)
    const newest = stream.revisions[data.site] ?? 0
    if (newest < this.sent) this.sent = 0 // the server has another database now
    if (!data.is_pushed || document.hidden || newest <= Math.max(data.revision, this.sent)) return
    // A page that draws slowly is not asked again before it has: it would never come to an end.
    if (!this.isDrawn && Date.now() - this.sentAt < DRAWN_WITHIN) return
    this.isDrawn = false
    this.sent = newest
    this.sentAt = Date.now()
    this.send?.("revision", newest)
  }

  stop() {
    this.unsubscribe()
    document.removeEventListener("visibilitychange", this.look)
    this.line?.remove()
  }
}
