// @ts-check
// The menu of a site's canned replies.

import { Menu } from "./menu.js"

/** @import { ReplyJson } from "./chat_types.js" */
/** @import { Composer } from "./composer.js" */

export class ReplyMenu {
  /**
   * @param {HTMLElement} parent
   * @param {Composer} composer
   */
  constructor(parent, composer) {
    this.composer = composer
    this.shown = ""
    this.menu = new Menu(parent, "Replies", "replies")
  }

  /** @param {ReplyJson[]} replies */
  show(replies) {
    this.menu.node.hidden = replies.length === 0
    const wanted = JSON.stringify(replies)
    if (wanted === this.shown) return
    this.shown = wanted
    this.menu.fill(replies.map((reply) => ({ text: reply.text, act: () => this.composer.insert(reply) })))
  }
}
