// @ts-check
// The line in the sidebar that says how many conversations wait.

import { make, setText } from "../../table/elements.js"
import { keyOf } from "./chat_store.js"
import { newId } from "./random_id.js"
import { mostUrgent } from "./urgency.js"

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { AlertsData, ChatApp, ChatPart, StoreEvent, WantedNoticesJson } from "./chat_types.js" */

/** @implements {ChatPart<AlertsData>} */
export class SidebarAlert {
  /**
   * @param {ParentNode} parent
   * @param {ChatApp} app
   */
  constructor(parent, app) {
    this.app = app
    this.key = ""
    this.keySent = ""
    this.isDrawn = false
    /** @type {(name: string, value: unknown) => void} */
    this.trigger = () => {}
    this.root = make("div", "chat-root alerts", parent)
    this.button = make("button", "waiting", this.root)
    this.button.type = "button"
    this.count = make("span", "count", this.button)
    this.words = make("span", "", this.button)
    this.button.addEventListener("click", () => this.open())
    this.asking = make("button", "act quiet asking", this.root)
    this.asking.type = "button"
    setText(this.asking, "Allow notifications")
    this.asking.addEventListener("click", () => this.ask())
    this.denied = make("p", "denied", this.root)
    setText(this.denied, "This browser forbids notifications: allow them for this page in its settings.")
  }

  /** @param {ComponentArguments<AlertsData>} component */
  refresh({ data, setTriggerValue }) {
    this.trigger = setTriggerValue
    this.key = data.agent?.key ?? ""
    if (data.agent) this.app.stream.start(data.agent)
    if (data.notices) this.choose(data.notices)
    this.sendKey()
    this.show()
  }

  /** Open the chat that comes first; by the new id, one that is opened again is news to Python. */
  open() {
    const urgent = mostUrgent(this.app.store)
    this.trigger("opened", [newId(), urgent ? keyOf(urgent) : ""].join(" "))
  }

  /**
   * What the agent has just switched on, the browser is asked for at once: a click was a moment ago.
   * @param {WantedNoticesJson} wanted
   */
  choose(wanted) {
    const { notices } = this.app
    const wasOff = this.isDrawn && !notices.wanted.kinds.length
    this.isDrawn = true
    notices.wanted = wanted
    if (wasOff && wanted.kinds.length) this.ask()
  }

  async ask() {
    await this.app.notices.ask()
    this.show()
  }

  /** Send the agent's key to a session that began before this browser had an agent. */
  sendKey() {
    const { key } = this.app.cookie
    if (key && key !== this.key && key !== this.keySent) {
      this.keySent = key
      this.trigger("known", key)
    }
  }

  /** @param {StoreEvent} event */
  receive({ kind }) {
    if (kind === "named") this.sendKey()
    this.show()
  }

  show() {
    const count = this.app.store.waiting()
    this.button.hidden = count === 0
    setText(this.count, String(count))
    setText(this.words, count === 1 ? "visitor waits for you" : "visitors wait for you")
    this.asking.hidden = !this.app.notices.mustAsk
    this.denied.hidden = !this.app.notices.isDenied
  }

  tick() {}

  stop() {}
}
