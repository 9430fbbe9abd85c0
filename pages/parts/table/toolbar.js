// Above the table: search, filters, the breakdowns' choices as chips, the number of rows, the pages.

import { make, setText } from "./elements.js"

const SEARCH_PAUSE = 250

export class TableToolbar {
  constructor(root, table, data) {
    this.table = table
    this.node = make("div", "toolbar", root)
    this.makeSearch(data.toolbar)
    for (const filter of data.toolbar.filters) this.makeFilter(filter)
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

  makeSearch({ search }) {
    this.search = make("input", "search", this.node)
    this.search.type = "search"
    this.search.placeholder = search
    this.search.setAttribute("aria-label", search)
    this.search.maxLength = 200
    this.search.value = this.table.view.search
    this.search.addEventListener("input", () => {
      clearTimeout(this.pause)
      this.pause = setTimeout(() => this.tellSearch(), SEARCH_PAUSE)
    })
  }

  tellSearch() {
    clearTimeout(this.pause)
    if (this.search.value !== this.table.view.search) this.table.change({ search: this.search.value })
  }

  makeFilter({ name, label, options }) {
    const select = make("select", "filter", this.node)
    select.setAttribute("aria-label", label)
    for (const [value, word] of [["", label], ...options]) {
      const option = make("option", "", select)
      option.value = value
      setText(option, word)
    }
    select.value = this.table.view[name]
    select.classList.toggle("used", select.value !== "")
    select.addEventListener("change", () => {
      select.classList.toggle("used", select.value !== "")
      this.table.change({ [name]: select.value })
    })
  }

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

  refresh({ toolbar: { chips, count, page, pages } }) {
    setText(this.count, count)
    this.table.view.page = page
    this.back.hidden = this.forward.hidden = pages < 2
    this.back.disabled = page <= 0
    this.forward.disabled = page >= pages - 1
    this.showChips(chips)
  }

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
