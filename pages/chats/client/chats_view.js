// The list of conversations and the chosen one.

import { make } from "../../parts/table/elements.js"
import { ConversationList } from "./conversation_list.js"
import { ConversationPanel } from "./conversation_panel.js"

export class ChatsView {
  constructor(parent, app, data) {
    this.root = make("div", "chat-root chats", parent)
    this.app = { ...app, replies: data.replies, chosen: "", choose: (key) => this.choose(key, true) }
    this.list = this.app.list = new ConversationList(this.root, this.app, { isOneSite: data.is_one_site })
    this.panel = new ConversationPanel(this.root, this.app, { canLeave: true })
    this.turn = data.turn
  }

  // The page's address decides, for example after Back; but what was chosen here a moment ago is
  // newer than a run of the page that does not know of it.
  refresh({ data, setStateValue }) {
    this.app.replies = data.replies
    this.send = setStateValue
    if (data.agent) this.app.stream.start(data.agent)
    if (data.turn === this.turn && data.chosen !== this.app.chosen) this.choose(data.chosen, false)
    this.show()
  }

  choose(key, isByHand) {
    this.app.chosen = key
    this.panel.open(key)
    this.show()
    if (!isByHand) return
    this.turn += 1
    this.send("chosen", { key, turn: this.turn })
    this.panel.composer.focus()
    if (this.panel.node.offsetTop > this.list.node.offsetTop + 20) this.panel.node.scrollIntoView({ block: "nearest" })
  }

  hear({ kind }) {
    if (kind === "whole") this.panel.load()
    this.show()
  }

  show() {
    this.list.show()
    this.panel.show()
  }

  tick() {
    this.list.tick()
    this.panel.tick()
  }

  stop() {
    this.panel.stop()
  }
}
