// @ts-check
// The table's header: a button for each column that sorts. A column may have a width of its own.

import { make, setAttribute, setText } from "./elements.js"

/** @import { ColumnJson, ViewJson } from "./table_types.js" */

export class TableHead {
  /**
   * @param {HTMLTableElement} table
   * @param {ColumnJson[]} columns
   * @param {(column: ColumnJson) => void} sort called with the column that is pressed
   */
  constructor(table, columns, sort) {
    this.columns = columns
    this.table = table
    const widths = make("colgroup", "", table)
    this.widths = columns.map(({ kind, width }) => {
      const place = make("col", `kind-${kind}`, widths)
      if (width) place.style.setProperty("--width", `${width}rem`)
      return place
    })
    const head = make("thead", "", table)
    head.setAttribute("role", "rowgroup")
    this.row = make("tr", "", head)
    this.row.setAttribute("role", "row")
    this.sort = sort
    for (const column of columns) this.makeCell(column)
  }

  /** @param {ColumnJson} column */
  makeCell(column) {
    const cell = make("th", `kind-${column.kind}`, this.row)
    cell.scope = "col"
    cell.setAttribute("role", "columnheader")
    cell.dataset.name = column.name
    setAttribute(cell, "title", column.help)
    if (!column.sorts) {
      setText(make("span", "", cell), column.label)
      return
    }
    const button = make("button", "sort", cell)
    button.type = "button"
    setText(make("span", "word", button), column.label)
    make("span", "arrow", button).setAttribute("aria-hidden", "true")
    button.addEventListener("click", () => this.sort(column))
  }

  /** @param {ViewJson} view */
  show({ sort, descending }) {
    for (const cell of this.row.cells) {
      const isSorted = cell.dataset.name === sort
      setAttribute(cell, "aria-sort", isSorted ? (descending ? "descending" : "ascending") : null)
    }
  }

  /** @param {(column: ColumnJson) => boolean} isHidden */
  showColumns(isHidden) {
    this.columns.forEach((column, index) => {
      this.widths[index].hidden = this.row.cells[index].hidden = isHidden(column)
    })
    this.sumWidths(this.columns.filter((column) => !isHidden(column)))
  }

  /**
   * Tell table.css how wide the columns are that it squeezes.
   * @param {ColumnJson[]} shown
   */
  sumWidths(shown) {
    for (const name of ["text", "badge", "other"]) {
      const sum = shown
        .filter(({ kind }) => (kind === "text" || kind === "badge" ? kind : "other") === name)
        .reduce((total, { width }) => total + width, 0)
      this.table.style.setProperty(`--rem-${name}`, `${sum}rem`)
    }
  }
}
