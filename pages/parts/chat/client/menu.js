// @ts-check
// A button that opens a menu.

import { focusedIn, make, setText } from "../../table/elements.js"

/** @typedef {{ text: string, act: () => void }} MenuItem */

export class Menu {
  /**
   * @param {HTMLElement} parent
   * @param {string} name
   * @param {string} className
   * @param {() => void} [onOpen] what is in it may be found then
   */
  constructor(parent, name, className, onOpen = () => {}) {
    this.onOpen = onOpen
    this.node = make("div", className, parent)
    this.button = make("button", "act quiet", this.node)
    this.button.type = "button"
    setText(this.button, name)
    this.button.setAttribute("aria-haspopup", "menu")
    this.menu = make("div", "menu", this.node)
    this.menu.setAttribute("role", "menu")
    this.menu.setAttribute("aria-label", name)
    this.close()
    this.button.addEventListener("click", () => (this.menu.hidden ? this.open() : this.close()))
    this.node.addEventListener("keydown", (event) => this.keydown(event))
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(/** @type {Node | null} */ (event.relatedTarget))) this.close()
    })
  }

  /** @param {MenuItem[]} items */
  fill(items) {
    this.menu.replaceChildren()
    this.add(items)
  }

  /**
   * Add items below those that are there, which stay where they are.
   * @param {MenuItem[]} items
   */
  add(items) {
    for (const { text, act } of items) {
      const item = make("button", "reply", this.menu)
      item.type = "button"
      item.tabIndex = -1
      item.dir = "auto"
      item.setAttribute("role", "menuitem")
      setText(item, text)
      item.addEventListener("click", () => {
        this.close()
        act()
      })
    }
  }

  /** @returns {HTMLElement[]} */
  get items() {
    return [...this.menu.querySelectorAll("button")]
  }

  open() {
    this.onOpen()
    this.menu.hidden = false
    this.button.setAttribute("aria-expanded", "true")
    this.items[0]?.focus()
  }

  close() {
    this.menu.hidden = true
    this.button.setAttribute("aria-expanded", "false")
  }

  /** @param {KeyboardEvent} event */
  keydown(event) {
    if (this.menu.hidden) return
    const { items } = this
    const here = items.findIndex((item) => item === focusedIn(this.node))
    const there = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key]
    if (event.key === "Escape") {
      event.stopPropagation()
      this.close()
      this.button.focus()
    } else if (there !== undefined && items.length) {
      event.preventDefault()
      items[(there + items.length) % items.length].focus()
    }
  }
}
