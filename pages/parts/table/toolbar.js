// @ts-check
// Above the table: search, filters, the breakdowns' choices as chips, the number of rows, the pages.

import { make, setText } from "./elements.js"

/** @import { DataTable } from "./table.js" */
/** @import { ChipJson, FilterJson, ToolbarJson } from "./table_types.js" */

const SEARCH_PAUSE = 250

export class TableToolbar {
  /**
   * @param {HTMLElement} root
   * @param {DataTable} table
   * @param {ToolbarJson} toolbar
   */
  constructor(root, table, toolbar) {
    this.table = table
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pause = undefined
    this.shownChips = ""
    this.node = make("div", "toolbar", root)
    this.search = this.makeSearch(toolbar.search)
    for (const filter of toolbar.filters) this.makeFilter(filter)
    this.chips = make("div", "chips", this.node)
    const pager = make("div", "pager", this.node)
    this.count = make("span", "count", pager)
    this.count.setAttribute("role", "status")
    this.back = this.makeStep(pager, "‹", "Previous page", -1)
    this.forward = this.makeStep(pager, "›", "Next page", 1)
  }

  stop() {
    clearTimeout(this.pause)
  }

  /** @param {string} label */
  makeSearch(label) {
    const search = make("input", "search", this.node)
    search.type = "search"
    search.placeholder = label
    search.setAttribute("aria-label", label)
    search.maxLength = 200
    search.value = this.table.view.search
    search.addEventListener("input", () => {
      clearTimeout(this.pause)
      this.pause = setTimeout(() => this.sendSearch(), SEARCH_PAUSE)
    })
    return search
  }

  sendSearch() {
    clearTimeout(this.pause)
    if (this.search.value !== this.table.view.search) this.table.change({ search: this.search.value })
  }

  /** @param {FilterJson} filter */
  makeFilter({ name, label, options }) {
    const select = make("select", "filter", this.node)
    select.setAttribute("aria-label", label)
    for (const [value, word] of [["", label], ...options]) {
      const option = make("option", "", select)
      option.value = value
      setText(option, word)
    }
    select.value = String(this.table.view[name])
    select.classList.toggle("used", select.value !== "")
    select.addEventListener("change", () => {
      select.classList.toggle("used", select.value !== "")
      this.table.change({ [name]: select.value })
    })
  }

  /**
   * @param {HTMLElement} pager
   * @param {string} sign
   * @param {string} label
   * @param {-1 | 1} step
   */
  makeStep(pager, sign, label, step) {
    const button = make("button", "step", pager)
    button.type = "button"
    setText(button, sign)
    button.setAttribute("aria-label", label)
    button.addEventListener("click", () => {
      this.table.change({ page: this.table.view.page + step })
      this.table.scroll.scrollTop = 0
    })
    return button
  }

  /** @param {ToolbarJson} toolbar */
  refresh({ chips, count, page, pages }) {
    setText(this.count, count)
    this.table.view.page = page
    this.back.hidden = this.forward.hidden = pages < 2
    this.back.disabled = page <= 0
    this.forward.disabled = page >= pages - 1
    this.showChips(chips)
  }

  /** @param {ChipJson[]} chips */
  showChips(chips) {
    const wanted = JSON.stringify(chips)
    if (wanted === this.shownChips) return
    this.shownChips = wanted
    this.chips.replaceChildren()
    for (const { name, label } of chips) {
      const chip = make("button", "chip", this.chips)
      chip.type = "button"
      setText(make("span", "", chip), label)
      const cross = make("span", "cross", chip)
      setText(cross, "×")
      cross.setAttribute("aria-hidden", "true")
      chip.setAttribute("aria-label", `Clear the filter ${label}`)
      chip.addEventListener("click", () => this.table.trigger("cleared", name))
    }
  }
}
