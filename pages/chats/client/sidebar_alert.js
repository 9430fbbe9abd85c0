// The line in the sidebar.

import { make, setText } from "../../parts/table/elements.js"
import { newId } from "./random_id.js"

export class SidebarAlert {
  constructor(parent, app) {
    this.app = app
    this.root = make("div", "chat-root alerts", parent)
    this.button = make("button", "waiting", this.root)
    this.button.type = "button"
    this.count = make("span", "count", this.button)
    this.words = make("span", "", this.button)
    this.button.addEventListener("click", () => this.trigger("opened", newId()))
  }

  refresh({ data, setTriggerValue }) {
    this.trigger = setTriggerValue
    this.key = data.agent?.key ?? ""
    if (data.agent) this.app.stream.start(data.agent)
    this.tellKey()
    this.show()
  }

  // A session that began before this browser's agent had a name learns it now.
  tellKey() {
    const { key } = this.app.cookie
    if (key && key !== this.key && key !== this.told) {
      this.told = key
      this.trigger("known", key)
    }
  }

  hear({ kind }) {
    if (kind === "named") this.tellKey()
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
