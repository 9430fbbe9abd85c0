// @ts-check
// The rows of a table. Each keeps its element from refresh to refresh, so that focus, selection and
// scroll position stay; while somebody is about to use one, all keep their places.

import { KINDS } from "./cells.js"
import { focusedIn, focusOn, make, setAttribute, setText } from "./elements.js"
import { mark } from "./marks.js"
import { RowHold } from "./row_hold.js"

/** @import { DataTable } from "./table.js" */
/** @import { ColumnJson, RowJson } from "./table_types.js" */
/** @typedef {HTMLTableRowElement & { row: RowJson }} RowNode */

/** @typedef {"" | "left" | "elsewhere"} Absence */

/** Titles of the rows that keep their places. @type {Record<Absence, string>} */
const ABSENCES = { "": "", left: "No longer in the list", elsewhere: "Not on this page now" }

/** Kinds that change at every refresh. */
const NEVER_MARKED = new Set(["length", "activity"])

export class TableRows {
  /** @param {DataTable} table */
  constructor(table) {
    this.table = table
    this.body = make("tbody", "", table.table)
    this.body.setAttribute("role", "rowgroup")
    /** @type {Map<string, RowNode>} */
    this.byId = new Map()
    /** Rows that are not placed yet. @type {RowJson[] | null} */
    this.waiting = null
    this.news = make("button", "news", table.frame)
    this.news.type = "button"
    this.news.hidden = true
    this.news.addEventListener("click", () => this.showNews())
    this.hold = new RowHold([this.body, this.news], () => this.placeWaiting())
  }

  get size() {
    return this.byId.size
  }

  nodes() {
    return [...this.byId.values()]
  }

  // ---- drawing

  /**
   * @param {RowJson[]} rows
   * @param {boolean} isSameView whether the agent asked for the same rows as before: then what has
   *   changed did so by itself
   */
  receive(rows, isSameView) {
    if (isSameView && this.hold.isHeld()) this.keepPlaces(rows)
    else this.place(rows, isSameView)
  }

  /** @param {RowJson[]} rows */
  keepPlaces(rows) {
    this.waiting = rows
    const received = new Map(rows.map((row) => [row.id, row]))
    for (const [id, node] of this.byId) {
      const row = received.get(id)
      if (row) this.change(node, row, true)
      showAbsence(node, row ? "" : this.table.isPaged ? "elsewhere" : "left")
    }
    const added = rows.filter(({ id }) => !this.byId.has(id)).length
    this.news.hidden = added === 0
    setText(this.news, newsText(added, this.table.isPaged))
    this.table.markSelected()
  }

  placeWaiting() {
    if (!this.waiting) return
    this.place(this.waiting, true)
    this.table.settle()
  }

  showNews() {
    const added = this.waiting?.find(({ id }) => !this.byId.has(id))
    this.placeWaiting()
    focusOn(added && this.byId.get(added.id), "a.link")
  }

  /**
   * @param {RowJson[]} rows
   * @param {boolean} isMarking
   */
  place(rows, isMarking) {
    this.waiting = null
    this.table.leaveOutEmpty(rows)
    const focused = focusedIn(this.body)
    const kept = new Map()
    /** @type {ChildNode | null} */
    let next = this.body.firstChild
    for (const row of rows) {
      const known = this.byId.get(row.id)
      const node = known ?? this.make(row)
      kept.set(row.id, node)
      showAbsence(node, "")
      if (node === next) next = node.nextSibling
      else this.body.insertBefore(node, next)
      this.change(node, row, isMarking && known !== undefined)
      if (isMarking && !known) mark(node)
    }
    for (const [id, node] of this.byId) if (!kept.has(id)) node.remove()
    this.byId = kept
    this.table.markSelected()
    this.hold.unmoved(() => {
      if (focused === this.news) this.table.focusFirst()
      this.news.hidden = true
      this.returnFocus(focused)
    })
  }

  /**
   * A node loses the focus when it is moved or hidden.
   * @param {HTMLElement | null} focused
   */
  returnFocus(focused) {
    if (!focused?.isConnected || !this.body.contains(focused)) return
    if (focused.hidden) focusOn(focused.closest("tr"), "a.link")
    else if (focusedIn(this.body) !== focused) focused.focus({ preventScroll: true })
  }

  /**
   * @param {RowJson} row
   * @returns {RowNode}
   */
  make(row) {
    const node = Object.assign(document.createElement("tr"), { row })
    node.dataset.id = row.id
    node.setAttribute("role", "row")
    for (const column of this.table.columns) {
      const cell = make("td", `kind-${column.kind}`, node)
      cell.setAttribute("role", "cell")
      cell.dataset.name = column.name
      cell.dataset.label = column.label
      KINDS[column.kind].make?.(cell)
    }
    return node
  }

  /**
   * @param {RowNode} node
   * @param {RowJson} row
   * @param {boolean} isMarking
   */
  change(node, row, isMarking) {
    const before = node.row
    node.row = row
    this.show(node)
    if (!isMarking) return
    this.table.columns.forEach((column, index) => {
      if (hasChanged(column, before, row)) mark(node.cells[index])
    })
  }

  /** @param {RowNode} node */
  show(node) {
    this.table.columns.forEach((column, index) => {
      const cell = node.cells[index]
      cell.hidden = this.table.isHidden(column)
      KINDS[column.kind].show(cell, node.row, column, this.table.context)
      if (column.tooltip) setAttribute(cell, "title", tooltipOf(column, node.row))
    })
  }

  showAll() {
    for (const node of this.byId.values()) this.show(node)
  }

  tick() {
    this.hold.check()
    this.table.columns.forEach((column, index) => {
      const { tick } = KINDS[column.kind]
      if (!tick) return
      for (const node of this.byId.values()) {
        if (!isAbsent(node)) tick(node.cells[index], node.row, column, this.table.context)
      }
    })
  }
}

/**
 * @param {RowNode} node
 * @param {Absence} absence
 */
function showAbsence(node, absence) {
  node.classList.toggle("left", absence === "left")
  node.classList.toggle("elsewhere", absence === "elsewhere")
  setAttribute(node, "title", ABSENCES[absence])
}

/** @param {RowNode} node */
const isAbsent = ({ classList }) => classList.contains("left") || classList.contains("elsewhere")

/**
 * Of several pages nobody knows here whether a row is new, or was on another page.
 * @param {number} added
 * @param {boolean} isPaged
 */
const newsText = (added, isPaged) =>
  isPaged ? `${added} new on this page: show` : `${added} new visitor${added === 1 ? "" : "s"}: show`

/**
 * @param {ColumnJson} column
 * @param {RowJson} before
 * @param {RowJson} now
 */
const hasChanged = ({ name, kind, note }, before, now) =>
  !NEVER_MARKED.has(kind) && (before[name] !== now[name] || before[note] !== now[note])

/**
 * @param {ColumnJson} column
 * @param {RowJson} row
 */
const tooltipOf = ({ tooltip }, row) =>
  tooltip
    .split(" ")
    .map((name) => row[name])
    .filter(Boolean)
    .join("\n")
