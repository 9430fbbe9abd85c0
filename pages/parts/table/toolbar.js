// @ts-check
// Above the table: search, filters, the breakdowns' choices as chips, the number of rows, the pages.

import { replaceSearch } from "./address.js"
import { childrenOf, focusedIn, make, rootOf, setText } from "./elements.js"

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
    /** @type {Map<string, HTMLSelectElement>} */
    this.filters = new Map(toolbar.filters.map((filter) => [filter.name, this.makeFilter(filter)]))
    this.chips = make("div", "chips", this.node)
    this.end = make("div", "end", this.node)
    const pager = make("div", "pager", this.end)
    this.count = make("span", "count", pager)
    // Read aloud only after a choice: the number may change with every refresh.
    this.found = make("span", "unseen", pager)
    this.found.setAttribute("role", "status")
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
    search.addEventListener("input", () => {
      clearTimeout(this.pause)
      this.pause = setTimeout(() => this.sendSearch(), SEARCH_PAUSE)
    })
    return search
  }

  sendSearch() {
    clearTimeout(this.pause)
    this.pause = undefined
    if (this.search.value === this.table.view.search) return
    if (this.table.aroundSearch) replaceSearch(this.table.aroundSearch, this.search.value)
    this.table.change({ search: this.search.value })
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
    select.addEventListener("change", () => {
      select.classList.toggle("used", select.value !== "")
      this.table.change({ [name]: select.value })
    })
    return select
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

  /** Show the table's view, but leave alone what is being typed. */
  showView() {
    const { view } = this.table
    const isTyping = this.pause !== undefined && rootOf(this.search).activeElement === this.search
    if (!isTyping && this.search.value !== view.search) this.search.value = view.search
    for (const [name, select] of this.filters) {
      select.value = String(view[name])
      select.classList.toggle("used", select.value !== "")
    }
  }

  /**
   * @param {ToolbarJson} toolbar
   * @param {boolean} isSameView
   */
  refresh({ chips, count, page, pages }, isSameView) {
    setText(this.count, count)
    if (!isSameView) setText(this.found, `Shown: ${count}`)
    // The page that is shown may be another one than was asked for, but not while more was asked for.
    if (this.table.sent.length === 0) this.table.view.page = page
    this.back.hidden = this.forward.hidden = pages < 2
    this.back.disabled = page <= 0
    this.forward.disabled = page >= pages - 1
    this.showChips(chips)
  }

  get isNarrowed() {
    const { view } = this.table
    const isFiltered = [...this.filters.keys()].some((name) => view[name] !== "")
    return view.search !== "" || isFiltered || this.chips.firstChild !== null
  }

  /** @param {ChipJson[]} chips */
  showChips(chips) {
    const wanted = JSON.stringify(chips)
    if (wanted === this.shownChips) return
    this.shownChips = wanted
    const focused = [...childrenOf(this.chips)].findIndex((chip) => chip === focusedIn(this.chips))
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
    if (focused >= 0) (childrenOf(this.chips)[Math.min(focused, chips.length - 1)] ?? this.search).focus()
  }
}
