// One conversation alone.

import { make } from "../../parts/table/elements.js"
import { ConversationPanel } from "./conversation_panel.js"

export class ConversationView {
  constructor(parent, app, data) {
    this.root = make("div", "chat-root alone", parent)
    this.app = { ...app, replies: data.replies, chosen: data.chosen }
    this.panel = new ConversationPanel(this.root, this.app, { canLeave: false })
  }

  refresh({ data }) {
    this.app.replies = data.replies
    if (data.agent) this.app.stream.start(data.agent)
    this.panel.open(data.chosen)
    this.panel.show()
  }

  hear({ kind }) {
    if (kind === "whole") this.panel.load()
    this.panel.show()
  }

  tick() {
    this.panel.tick()
  }

  stop() {
    this.panel.stop()
  }
}
