// @ts-check
// One conversation alone.

import { make } from "../../table/elements.js"
import { ConversationPanel } from "./conversation_panel.js"

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { ChatApp, ChatPart, PanelApp, SingleConversationData, StoreEvent } from "./chat_types.js" */

/** @implements {ChatPart<SingleConversationData>} */
export class SingleConversation {
  /**
   * @param {ParentNode} parent
   * @param {ChatApp} app
   * @param {SingleConversationData} data
   */
  constructor(parent, app, data) {
    this.root = make("div", "chat-root alone", parent)
    /** @type {PanelApp} */
    this.app = { ...app, replies: data.replies }
    this.panel = new ConversationPanel(this.root, this.app)
  }

  /** @param {ComponentArguments<SingleConversationData>} component */
  refresh({ data }) {
    this.app.replies = data.replies
    if (data.agent) this.app.stream.start(data.agent)
    this.panel.open(data.chosen)
    this.panel.show()
  }

  /** @param {StoreEvent} event */
  receive({ kind }) {
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
