// @ts-check
// Redraws what contains it when a conversation of its site begins, is answered or ends. It draws
// nothing itself.

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { StoreEvent } from "./chat_types.js" */
/** @import { ChatStore } from "./chat_store.js" */

/** @type {WeakMap<ParentNode, Pulse>} */
const PULSES = new WeakMap()
const STORE = Symbol.for("visitor-monitor-chats")
const AT_MOST_EVERY = 1_000

/** @param {ComponentArguments<{ site: string }>} component */
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
  /** @param {ComponentArguments<{ site: string }>} component */
  constructor({ data, setStateValue }) {
    this.site = data.site
    this.send = setStateValue
    this.newest = 0
    this.sentAt = 0
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    /** @type {(() => void) | undefined} */
    this.unsubscribe = undefined
    this.subscribe = () => {
      this.unsubscribe ??= storeOfPage()?.subscribe((event) => this.receive(event))
    }
    this.subscribe()
    window.addEventListener("visitor-monitor-chats", this.subscribe)
  }

  /** @param {ComponentArguments<{ site: string }>} component */
  refresh({ data, setStateValue }) {
    this.site = data.site
    this.send = setStateValue
  }

  /** @param {StoreEvent} event */
  receive(event) {
    if (event.kind !== "news" || event.isOld) return
    const revisions = event.moved.filter(({ site }) => site === this.site).map(({ revision }) => revision)
    this.newest = Math.max(this.newest, ...revisions)
    if (revisions.length) this.timer ??= setTimeout(() => this.sendNewest(), this.wait())
  }

  wait() {
    return Math.max(0, AT_MOST_EVERY - (Date.now() - this.sentAt))
  }

  sendNewest() {
    this.timer = undefined
    this.sentAt = Date.now()
    this.send("revision", this.newest)
  }

  stop() {
    clearTimeout(this.timer)
    this.unsubscribe?.()
    window.removeEventListener("visitor-monitor-chats", this.subscribe)
  }
}

/** The store, once the other component has made it. */
function storeOfPage() {
  return /** @type {{ [STORE]?: ChatStore }} */ (window)[STORE]
}
