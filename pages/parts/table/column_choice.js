// @ts-check
// The menu that hides columns. The browser keeps the choice.

import { keepLocally, keptLocally } from "../chat/client/browser_storage.js"
import { make, setText } from "./elements.js"

/** @import { ColumnJson } from "./table_types.js" */

export class ColumnChoice {
  /**
   * @param {string} storedAs
   * @param {ColumnJson[]} columns
   * @param {() => void} onChange
   */
  constructor(storedAs, columns, onChange) {
    this.storedAs = storedAs
    this.columns = columns.filter(({ can_hide }) => can_hide)
    this.onChange = onChange
    this.hidden = new Set(storedNames(storedAs))
    /** @type {HTMLDetailsElement | undefined} */
    this.menu = undefined
    this.closeOutside = this.closeOutside.bind(this)
  }

  stop() {
    document.removeEventListener("pointerdown", this.closeOutside)
  }

  /** @param {Event} event */
  closeOutside(event) {
    if (this.menu && !event.composedPath().includes(this.menu)) this.menu.open = false
  }

  /** @param {HTMLElement} parent */
  drawMenu(parent) {
    const menu = make("details", "menu", parent)
    this.menu = menu
    setText(make("summary", "", menu), "Columns")
    const group = make("div", "choices", menu)
    group.setAttribute("role", "group")
    group.setAttribute("aria-label", "Columns to show")
    for (const column of this.columns) this.drawChoice(group, column)
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return
      menu.open = false
      menu.querySelector("summary")?.focus()
    })
    menu.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !menu.contains(relatedTarget)) menu.open = false
    })
    menu.addEventListener("toggle", () => {
      if (menu.open) document.addEventListener("pointerdown", this.closeOutside)
      else this.stop()
    })
  }

  /**
   * @param {HTMLElement} group
   * @param {ColumnJson} column
   */
  drawChoice(group, { name, label }) {
    const choice = make("label", "", group)
    const box = make("input", "", choice)
    box.type = "checkbox"
    box.checked = !this.hidden.has(name)
    setText(make("span", "", choice), label)
    box.addEventListener("change", () => {
      if (box.checked) this.hidden.delete(name)
      else this.hidden.add(name)
      keepLocally(this.storedAs, JSON.stringify([...this.hidden]))
      this.onChange()
    })
  }

  /** @param {ColumnJson} column */
  hides({ name, can_hide }) {
    return can_hide && this.hidden.has(name)
  }
}

/**
 * @param {string} storedAs
 * @returns {string[]}
 */
function storedNames(storedAs) {
  try {
    const names = JSON.parse(keptLocally(storedAs) ?? "[]")
    return Array.isArray(names) ? names.map(String) : []
  } catch {
    return []
  }
}
