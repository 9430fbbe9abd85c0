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
    this.menu = new Menu(parent, "More", "more")
    this.menu.button.addEventListener("click", () => this.menu.menu.hidden || this.findColleagues())
  }

  /** @param {ConversationJson | undefined} conversation */
  show(conversation) {
    this.conversation = conversation
    if (this.menu.menu.hidden) this.fill([])
  }

  get isGivable() {
    const { conversation } = this
    return conversation?.phase === "open" && this.app.store.isForMe(conversation)
  }

  /** Who is there changes: it is asked each time. */
  async findColleagues() {
    const { conversation } = this
    if (!conversation || !this.isGivable) return
    const found = await this.app.api.colleagues(conversation.site)
    if (!Array.isArray(found) || this.menu.menu.hidden || conversation.id !== this.conversation?.id) return
    this.fill(found)
    if (!found.length) setText(make("p", "nobody", this.menu.menu), NOBODY)
    this.menu.items[0]?.focus()
  }

  /** @param {ColleagueJson[]} colleagues */
  fill(colleagues) {
    const { give, note, block } = this.actions
    const isMine = this.conversation !== undefined && this.app.store.isForMe(this.conversation)
    this.menu.fill([
      ...colleagues.map((each) => ({
        text: `Give to ${each.name}${each.is_available ? "" : " (Away)"}`,
        act: () => give(each),
      })),
      { text: "Add a note", act: note },
      ...(isMine && this.conversation?.visit ? [{ text: "Block this visitor", act: block }] : []),
    ])
  }
}
