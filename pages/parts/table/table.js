// @ts-check
// A table that survives refreshes: each row keeps its node, so that focus, selection, scroll position
// and the text in the search box stay. Each element of the page has one instance for as long as its
// columns are the same: an edited declaration makes a new one.

import { KINDS } from "./cells.js"
import { closestTo, focusedIn, make, rootOf, setAttribute, setText } from "./elements.js"
import { TableHead } from "./table_head.js"
import { readRows } from "./rows.js"
import { TableToolbar } from "./toolbar.js"

/** @import { ComponentArguments } from "../streamlit.js" */
/** @import { CellContext, RowJson, TableData, ViewJson } from "./table_types.js" */
/** @typedef {HTMLTableRowElement & { row: RowJson }} RowNode */

/** @type {WeakMap<ParentNode, DataTable>} */
const INSTANCES = new WeakMap()
const ACTION = "button.action:not([hidden])"

/** @param {ComponentArguments<TableData>} component */
export default function draw(component) {
  const { parentElement } = component
  const declared = JSON.stringify(component.data.table.columns)
  let table = INSTANCES.get(parentElement)
  if (table?.declared !== declared) {
    table?.stop()
    table = new DataTable(component, declared)
    INSTANCES.set(parentElement, table)
  }
  table.refresh(component)
  return () => {
    table.stop()
    INSTANCES.delete(parentElement)
  }
}

export class DataTable {
  /**
   * @param {ComponentArguments<TableData>} component
   * @param {string} declared its columns as JSON
   */
  constructor({ parentElement, data, setStateValue, setTriggerValue }, declared) {
    this.declared = declared
    this.send = setStateValue
    this.trigger = setTriggerValue
    this.columns = data.table.columns
    this.view = { ...data.view }
    /** @type {Map<string, RowNode>} */
    this.rows = new Map()
    /** @type {string | null} */
    this.selected = data.selected || null
    /** @type {CellContext} */
    this.context = { href: "", limits: { active: 0, idle: 0 }, passed: () => 0 }
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.watch = undefined
    this.root = make("section", `table-root ${data.table.layout}`, parentElement)
    this.toolbar = data.toolbar ? new TableToolbar(this.root, this, data.toolbar) : null
    this.scroll = make("div", "scroll", this.root)
    this.table = make("table", "", this.scroll)
    this.table.setAttribute("role", "table")
    setText(make("caption", "unseen", this.table), data.table.name)
    this.head = new TableHead(this.table, this.columns, (name) => this.sort(name))
    this.body = make("tbody", "", this.table)
    this.body.setAttribute("role", "rowgroup")
    this.empty = make("p", "empty", this.root)
    this.body.addEventListener("click", (event) => this.click(event))
    this.body.addEventListener("auxclick", (event) => this.click(event))
    this.body.addEventListener("keydown", (event) => this.key(event))
    this.body.addEventListener("focusin", (event) => this.select(rowOf(event)))
    this.timer = setInterval(() => this.tick(), 1000)
  }

  stop() {
    clearInterval(this.timer)
    clearInterval(this.watch)
    this.toolbar?.stop()
    this.root.remove()
  }

  // ---- drawing

  /** @param {ComponentArguments<TableData>} component */
  refresh({ data, setStateValue, setTriggerValue }) {
    const drawnAt = performance.now()
    const { age, ticking, active, idle } = data.clock
    this.context = {
      href: data.table.href,
      limits: { active, idle },
      passed: () => age + (ticking ? (performance.now() - drawnAt) / 1000 : 0),
    }
    this.send = setStateValue
    this.trigger = setTriggerValue
    if (data.toolbar) this.toolbar?.refresh(data.toolbar)
    this.head.show(this.view)
    this.placeRows(readRows(data.rows))
    setText(this.empty, this.rows.size ? "" : data.table.empty)
    this.scroll.hidden = this.rows.size === 0
  }

  /** @param {RowJson[]} rows */
  placeRows(rows) {
    const focused = focusedIn(this.root)
    const kept = new Map()
    /** @type {ChildNode | null} */
    let next = this.body.firstChild
    for (const row of rows) {
      const node = this.rows.get(row.id) ?? this.makeRow(row)
      kept.set(row.id, node)
      node.row = row
      if (node === next) next = node.nextSibling
      else this.body.insertBefore(node, next)
      this.showRow(node)
    }
    for (const [id, node] of this.rows) if (!kept.has(id)) node.remove()
    this.rows = kept
    if (!kept.has(this.selected ?? "")) this.selected = null
    this.markSelected()
    // A node loses the focus when it is moved or hidden.
    if (!focused?.isConnected) return
    if (focused.hidden) focusOn(focused.closest("tr"), "a.link")
    else if (focusedIn(this.root) !== focused) focused.focus({ preventScroll: true })
  }

  /**
   * @param {RowJson} row
   * @returns {RowNode}
   */
  makeRow(row) {
    const node = Object.assign(document.createElement("tr"), { row })
    node.dataset.id = row.id
    node.setAttribute("role", "row")
    for (const column of this.columns) {
      const cell = make("td", `kind-${column.kind}`, node)
      cell.setAttribute("role", "cell")
      cell.dataset.name = column.name
      cell.dataset.label = column.label
      KINDS[column.kind].make?.(cell)
    }
    return node
  }

  /** @param {RowNode} node */
  showRow(node) {
    this.columns.forEach((column, index) => {
      const cell = node.cells[index]
      KINDS[column.kind].show(cell, node.row, column, this.context)
      if (column.tooltip) setAttribute(cell, "title", node.row[column.tooltip] ?? "")
    })
  }

  tick() {
    if (document.hidden) return
    this.columns.forEach((column, index) => {
      const { tick } = KINDS[column.kind]
      if (!tick) return
      for (const node of this.rows.values()) {
        tick(node.cells[index], node.row, column, this.context)
      }
    })
  }

  // ---- acting

  /** @param {Partial<ViewJson>} part */
  change(part) {
    this.view = { ...this.view, page: 0, ...part }
    this.send("view", this.view)
  }

  /**
   * Sort one way, then the other; the third click restores the default order.
   * @param {string} name
   */
  sort(name) {
    const { sort, descending } = this.view
    if (sort !== name) this.change({ sort: name, descending: false })
    else if (!descending) this.change({ sort: name, descending: true })
    else this.change({ sort: "", descending: false })
    this.head.show(this.view)
  }

  /** @param {MouseEvent} event */
  click(event) {
    const node = rowOf(event)
    if (!node) return
    if (closestTo(event, "button.action")) {
      if (event.type === "click") this.act(node)
      return
    }
    /** @type {HTMLButtonElement | null} */
    const button = node.querySelector("button.choice")
    if (button) {
      if (!button.disabled && event.type === "click") this.trigger("pressed", node.row.id)
      return
    }
    /** @type {HTMLAnchorElement | null} */
    const link = node.querySelector("a.link")
    if (!link || event.button > 1 || (event.detail > 0 && this.isSelectingText())) return
    const isOnLink = event.target === link
    if (event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey) {
      if (!isOnLink) window.open(link.href, "_blank", "noopener")
      return
    }
    event.preventDefault()
    this.select(node)
    this.toolbar?.sendSearch()
    this.trigger("opened", node.row.id)
  }

  isSelectingText() {
    const root = rootOf(this.root)
    const selection = "getSelection" in root ? root.getSelection() : document.getSelection()
    return selection?.type === "Range" && this.body.contains(selection.anchorNode)
  }

  /** @param {RowNode} node */
  act(node) {
    this.select(node)
    this.trigger("acted", node.row.id)
    this.returnFocusTo(node.row.id)
  }

  /**
   * Give the focus back to the row once the dialog that its action opens has closed. The dialog
   * itself cannot: it does not see into a component.
   * @param {string} id
   */
  returnFocusTo(id) {
    let wasOpen = false
    clearInterval(this.watch)
    this.watch = setInterval(() => {
      const isOpen = document.querySelector("[role=dialog]") !== null
      if (wasOpen && !isOpen) {
        clearInterval(this.watch)
        const row = this.rows.get(id)
        const isNowhere = document.activeElement === document.body
        if (isNowhere && !focusOn(row, ACTION)) focusOn(row, "a.link")
      }
      wasOpen = isOpen
    }, 100)
  }

  /**
   * The rows are one stop for the tab key, their actions another; the arrow keys move within.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const nodes = [...this.rows.values()]
    const node = rowOf(event)
    if (event.key === "ArrowRight") focusOn(node, ACTION)
    if (event.key === "ArrowLeft") focusOn(node, "a.link")
    const here = node ? nodes.indexOf(node) : -1
    const there = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      PageDown: here + 10,
      PageUp: here - 10,
      Home: 0,
      End: nodes.length - 1,
    }[event.key]
    if (there === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const next = nodes[Math.min(Math.max(there, 0), nodes.length - 1)]
    const isOnAction = closestTo(event, "button.action") !== null
    if (!isOnAction || !focusOn(next, ACTION)) focusOn(next, "a.link, button.choice:enabled")
  }

  /** @param {RowNode | null} node */
  select(node) {
    if (!node || !node.querySelector("a.link")) return
    this.selected = node.row.id
    this.markSelected()
  }

  markSelected() {
    const first = this.rows.values().next().value
    const current = this.rows.get(this.selected ?? "") ?? first
    for (const node of this.rows.values()) {
      const isSelected = node.row.id === this.selected
      setAttribute(node, "aria-current", isSelected ? "true" : null)
      /** @type {NodeListOf<HTMLElement>} */
      const stops = node.querySelectorAll("a.link, button.action")
      for (const stop of stops) {
        stop.tabIndex = node === current ? 0 : -1
      }
    }
  }
}

/**
 * The row in which the event happened.
 * @param {Event} event
 */
const rowOf = (event) => /** @type {RowNode | null} */ (closestTo(event, "tr"))

/**
 * Focus the element in the row; returns whether there is one.
 * @param {HTMLElement | null | undefined} row
 * @param {string} selector
 */
function focusOn(row, selector) {
  /** @type {HTMLElement | null | undefined} */
  const found = row?.querySelector(selector)
  found?.focus()
  return Boolean(found)
}
