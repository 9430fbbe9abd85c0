// @ts-check
// What is rarely done with a conversation: give it to a colleague, note something, block the visitor.

import { make, setText } from "../../table/elements.js"
import { Menu } from "./menu.js"

/** @import { ColleagueJson, ConversationJson, PanelApp } from "./chat_types.js" */

/**
 * @typedef {object} MoreActions
 * @property {(colleague: ColleagueJson) => void} give
 * @property {() => void} note
 * @property {() => void} block
 */

const NOBODY = "No colleague has the dashboard open."

export class MoreMenu {
  /**
   * @param {HTMLElement} parent
   * @param {PanelApp} app
   * @param {MoreActions} actions
   */
  constructor(parent, app, actions) {
    this.app = app
    this.actions = actions
    /** @type {ConversationJson | undefined} */
    this.conversation = undefined
    /** @type {object | undefined} */
    this.asked = undefined
    this.menu = new Menu(parent, "More", "more", () => this.fill())
  }

  /** @param {ConversationJson | undefined} conversation */
  show(conversation) {
    if (conversation?.id !== this.conversation?.id) this.menu.close()
    this.conversation = conversation
  }

  fill() {
    const { conversation } = this
    this.asked = undefined
    if (!conversation) return
    const { note, block } = this.actions
    const isForMe = this.app.store.isForMe(conversation)
    this.menu.fill([
      { text: "Add a note", act: note },
      ...(isForMe && conversation.visit ? [{ text: "Block this visitor", act: block }] : []),
    ])
    if (isForMe && conversation.phase === "open") this.findColleagues(conversation)
  }

  /**
   * Who is there changes: it is asked each time.
   * @param {ConversationJson} conversation
   */
  async findColleagues({ site }) {
    const asked = (this.asked = {}) // by the opening that is shown, and no earlier one
    const found = await this.app.api.colleagues(site)
    if (!Array.isArray(found) || this.asked !== asked || this.menu.menu.hidden) return
    this.menu.add(
      found.map((each) => ({
        text: `Give to ${each.name}${each.is_available ? "" : " (Away)"}`,
        act: () => this.actions.give(each),
      })),
    )
    if (!found.length) setText(make("p", "nobody", this.menu.menu), NOBODY)
  }
}
