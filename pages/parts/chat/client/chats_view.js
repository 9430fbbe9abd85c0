// @ts-check
// The list of conversations and the chosen one.

import { make } from "../../table/elements.js"
import { ConversationList } from "./conversation_list.js"
import { ConversationPanel } from "./conversation_panel.js"

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { ChatApp, ChatPart, ChatsData, ListApp, StoreEvent } from "./chat_types.js" */

/** @implements {ChatPart<ChatsData>} */
export class ChatsView {
  /**
   * @param {ParentNode} parent
   * @param {ChatApp} app
   * @param {ChatsData} data
   */
  constructor(parent, app, data) {
    this.root = make("div", "chat-root chats", parent)
    /** @type {ListApp} */
    this.app = { ...app, replies: data.replies, chosen: "", choose: (key) => this.choose(key, true) }
    this.list = new ConversationList(this.root, this.app, { isOneSite: data.is_one_site })
    this.panel = new ConversationPanel(this.root, this.app, this.list)
    /** @type {(name: string, value: unknown) => void} */
    this.send = () => {}
    this.turn = data.turn
  }

  /**
   * The page's address decides, for example after Back. But a choice that was made here a moment ago
   * is newer than a run of the page that does not know of it.
   * @param {ComponentArguments<ChatsData>} component
   */
  refresh({ data, setStateValue }) {
    this.app.replies = data.replies
    this.send = setStateValue
    if (data.agent) this.app.stream.start(data.agent)
    if (data.turn === this.turn && data.chosen !== this.app.chosen) this.choose(data.chosen, false)
    this.show()
  }

  /**
   * @param {string} key
   * @param {boolean} isByHand
   */
  choose(key, isByHand) {
    this.app.chosen = key
    this.panel.wantsField = true
    this.panel.open(key)
    this.show()
    if (!isByHand) return
    this.turn += 1
    this.send("chosen", { key, turn: this.turn })
    const isBelow = this.panel.node.offsetTop > this.list.node.offsetTop + 20
    if (isBelow) this.panel.node.scrollIntoView({ block: "nearest" })
  }

  /** @param {StoreEvent} event */
  receive({ kind }) {
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
