// @ts-check
// The table's header: a button for each column that sorts.

import { make, setAttribute, setText } from "./elements.js"

/** @import { ColumnJson, ViewJson } from "./table_types.js" */

export class TableHead {
  /**
   * @param {HTMLTableElement} table
   * @param {ColumnJson[]} columns
   * @param {(name: string) => void} sort called with the column that is pressed
   */
  constructor(table, columns, sort) {
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
    setText(button, column.label)
    make("span", "arrow", button).setAttribute("aria-hidden", "true")
    button.addEventListener("click", () => this.sort(column.name))
  }

  /** @param {ViewJson} view */
  show({ sort, descending }) {
    for (const cell of this.row.cells) {
      const isSorted = cell.dataset.name === sort
      setAttribute(cell, "aria-sort", isSorted ? (descending ? "descending" : "ascending") : null)
    }
  }
}
