// @ts-check
// The line in the sidebar that says how many conversations wait.

import { make, setText } from "../../table/elements.js"
import { newId } from "./random_id.js"

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { AlertsData, ChatApp, ChatPart, StoreEvent } from "./chat_types.js" */

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
    /** @type {(name: string, value: unknown) => void} */
    this.trigger = () => {}
    this.root = make("div", "chat-root alerts", parent)
    this.button = make("button", "waiting", this.root)
    this.button.type = "button"
    this.count = make("span", "count", this.button)
    this.words = make("span", "", this.button)
    this.button.addEventListener("click", () => this.trigger("opened", newId()))
  }

  /** @param {ComponentArguments<AlertsData>} component */
  refresh({ data, setTriggerValue }) {
    this.trigger = setTriggerValue
    this.key = data.agent?.key ?? ""
    if (data.agent) this.app.stream.start(data.agent)
    this.sendKey()
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
  }

  tick() {}

  stop() {}
}
