// @ts-check
// The menu of a site's canned replies.

import { childrenOf, focusedIn, make, setText } from "../../table/elements.js"

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
    this.node = make("div", "replies", parent)
    this.button = make("button", "act quiet", this.node)
    this.button.type = "button"
    setText(this.button, "Replies")
    this.button.setAttribute("aria-haspopup", "menu")
    this.menu = make("div", "menu", this.node)
    this.menu.setAttribute("role", "menu")
    this.menu.setAttribute("aria-label", "Replies")
    this.close()
    this.button.addEventListener("click", () => (this.menu.hidden ? this.open() : this.close()))
    this.node.addEventListener("keydown", (event) => this.keydown(event))
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(/** @type {Node | null} */ (event.relatedTarget))) this.close()
    })
  }

  /** @param {ReplyJson[]} replies */
  show(replies) {
    this.node.hidden = replies.length === 0
    const wanted = JSON.stringify(replies)
    if (wanted === this.shown) return
    this.shown = wanted
    this.menu.replaceChildren()
    for (const reply of replies) {
      const item = make("button", "reply", this.menu)
      item.type = "button"
      item.tabIndex = -1
      item.dir = "auto"
      item.setAttribute("role", "menuitem")
      setText(item, reply.text)
      item.addEventListener("click", () => {
        this.close()
        this.composer.insert(reply)
      })
    }
  }

  open() {
    this.menu.hidden = false
    this.button.setAttribute("aria-expanded", "true")
    childrenOf(this.menu)[0]?.focus()
  }

  close() {
    this.menu.hidden = true
    this.button.setAttribute("aria-expanded", "false")
  }

  /** @param {KeyboardEvent} event */
  keydown(event) {
    if (this.menu.hidden) return
    const items = [...childrenOf(this.menu)]
    const here = items.findIndex((item) => item === focusedIn(this.node))
    const there = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key]
    if (event.key === "Escape") {
      event.stopPropagation()
      this.close()
      this.button.focus()
    } else if (there !== undefined) {
      event.preventDefault()
      items[(there + items.length) % items.length].focus()
    }
  }
}
