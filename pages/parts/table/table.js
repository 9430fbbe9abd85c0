// @ts-check
// A table that survives refreshes. Each element of the page has one instance for as long as its columns
// are the same: an edited declaration makes a new one.

import { ColumnChoice } from "./column_choice.js"
import {
  FOCUS_ROW,
  closestTo,
  focusedIn,
  focusOn,
  make,
  rootOf,
  setAttribute,
  setText,
} from "./elements.js"
import { TableKeys } from "./keys.js"
import { readRows } from "./rows.js"
import { SkipLink } from "./skip_link.js"
import { TableHead } from "./table_head.js"
import { TableRows } from "./table_rows.js"
import { TableToolbar } from "./toolbar.js"

/** @import { ComponentArguments } from "../streamlit.js" */
/** @import { CellContext, ColumnJson, RowJson, TableData, ToolbarJson, ViewJson } from "./table_types.js" */
/** @import { RowNode } from "./table_rows.js" */

/** @type {WeakMap<ParentNode, DataTable>} */
const INSTANCES = new WeakMap()
const ACTION = "button.action:not([hidden])"

/** Milliseconds within which an action has opened its dialog, if it opens one. */
const DIALOG_WITHIN = 10_000
/** The longest time in milliseconds that a dialog which is drawn anew is away. */
const DRAWN_ANEW_WITHIN = 3_000

/** The width in pixels below which rows become cards; with widths of their own, columns need more. */
const NARROWEST = 640
const NARROWEST_FIXED = 900

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
    /** The view that came last, as a text. */
    this.seen = ""
    /** @type {string[]} what was sent and is not answered yet */
    this.sent = []
    /** What the rows answer to: the view, its page and what is chosen elsewhere. */
    this.answered = ""
    this.aroundSearch = data.around_search
    /** Whether there are rows on other pages. */
    this.isPaged = false
    this.noRows = ""
    /** @type {string | null} */
    this.selected = null
    this.chosen = ""
    /** @type {CellContext} */
    this.context = { href: "", limits: { active: 0, idle: 0 }, passed: () => 0 }
    /** Columns in which no row has a value. @type {Set<string>} */
    this.empties = new Set()
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.watch = undefined
    const { name, layout } = data.table
    this.name = name
    const hasWidths = this.columns.some(({ width }) => width > 0)
    this.root = make("section", `component ${layout}${hasWidths ? " fixed" : ""}`, parentElement)
    this.resizes = new ResizeObserver(() => this.fit())
    this.resizes.observe(this.root)
    /** The columns that are shown, and the width at which they had no room beside each other. */
    this.room = { shown: "", tooNarrow: 0 }
    /** @type {ColumnChoice | null} */
    this.choice = null
    /** @type {TableToolbar | null} */
    this.toolbar = data.toolbar ? this.makeToolbar(data.toolbar) : null
    this.frame = make("div", "frame", this.root)
    this.scroll = make("div", "scroll", this.frame)
    this.table = make("table", "", this.scroll)
    this.table.setAttribute("role", "table")
    setText(make("caption", "unseen", this.table), name)
    this.head = new TableHead(this.table, this.columns, (column) => this.sort(column))
    this.rows = new TableRows(this)
    this.listen(this.rows.body)
    this.empty = make("p", "empty", this.root)
    this.clear = this.makeClear()
    this.keys = data.toolbar?.keys ? this.makeKeys() : null
    this.skip = data.toolbar?.keys ? new SkipLink("Skip to the visitors", () => this.focusFirst()) : null
    this.timer = setInterval(() => this.tick(), 1000)
    /** @param {Event} event */
    this.focusRow = (event) => {
      if (event instanceof CustomEvent) focusOn(this.rows.byId.get(event.detail), "a.link")
    }
    window.addEventListener(FOCUS_ROW, this.focusRow)
  }

  /** @param {ToolbarJson} toolbar */
  makeToolbar(toolbar) {
    const made = new TableToolbar(this.root, this, toolbar)
    if (toolbar.columns_stored_as) {
      this.choice = new ColumnChoice(toolbar.columns_stored_as, this.columns, () => this.showColumns())
      this.choice.drawMenu(made.end)
    }
    return made
  }

  makeClear() {
    const clear = make("button", "plain clear", this.root)
    clear.type = "button"
    setText(clear, "Clear filters")
    clear.addEventListener("click", () => {
      this.trigger("cleared", "all")
      this.toolbar?.search.focus()
    })
    return clear
  }

  makeKeys() {
    const keys = new TableKeys(this)
    const button = make("button", "step", this.toolbar?.end)
    button.type = "button"
    setText(button, "?")
    button.setAttribute("aria-label", "Keys")
    button.addEventListener("click", () => keys.list.open())
    return keys
  }

  /** @param {HTMLElement} body */
  listen(body) {
    body.addEventListener("click", (event) => this.click(event))
    body.addEventListener("auxclick", (event) => this.click(event))
    body.addEventListener("keydown", (event) => this.key(event))
    body.addEventListener("focusin", (event) => this.select(rowOf(event)))
  }

  /** Rows that have no room become cards; the row that was chosen stays in sight. */
  fit() {
    const { classList, clientWidth } = this.root
    if (!classList.contains("cards")) return
    const shown = this.columns.filter((column) => !this.isHidden(column)).map(({ name }) => name).join()
    if (shown !== this.room.shown) this.room = { shown, tooNarrow: 0 }
    const before = classList.contains("as-cards")
    const narrowest = classList.contains("fixed") ? NARROWEST_FIXED : NARROWEST
    const isNarrow = () => clientWidth < narrowest || clientWidth <= this.room.tooNarrow
    classList.toggle("as-cards", isNarrow())
    // Cards do not tell how wide the rows would be, so the width at which they had no room is kept.
    if (!isNarrow() && this.scroll.scrollWidth > this.scroll.clientWidth) this.room.tooNarrow = clientWidth
    if (classList.toggle("as-cards", isNarrow()) !== before) {
      this.rows.byId.get(this.selected ?? "")?.scrollIntoView({ block: "nearest" })
    }
  }

  stop() {
    this.resizes.disconnect()
    clearInterval(this.timer)
    clearInterval(this.watch)
    window.removeEventListener(FOCUS_ROW, this.focusRow)
    this.toolbar?.stop()
    this.choice?.stop()
    this.keys?.stop()
    this.skip?.stop()
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
    this.aroundSearch = data.around_search
    const isSameView = this.takeView(data)
    if (data.toolbar) this.toolbar?.refresh(data.toolbar, isSameView)
    this.head.show(this.view)
    this.isPaged = (data.toolbar?.pages ?? 1) > 1
    this.noRows = data.table.empty
    this.rows.receive(readRows(data.rows), isSameView)
    this.settle()
  }

  /** @param {RowJson[]} rows */
  leaveOutEmpty(rows) {
    this.empties = new Set(this.columns.filter((column) => isEmpty(column, rows)).map(({ name }) => name))
    this.head.showColumns((column) => this.isHidden(column))
  }

  /** What follows from the rows that are placed. */
  settle() {
    this.showEmpty()
    this.fit()
  }

  /**
   * Show the view that the page's address has got by Back or a link; an answer to what was sent from
   * here changes nothing, as more may have been chosen since. Returns whether the rows answer to the
   * same as those before.
   * @param {TableData} data
   */
  takeView({ view, toolbar, selected }) {
    if (selected && selected !== this.chosen) this.selected = selected
    this.chosen = selected
    const key = asKey(view)
    const place = this.sent.indexOf(key)
    if (key === asKey(this.view)) this.sent = []
    else if (place >= 0) this.sent.splice(0, place + 1)
    if (key !== this.seen && place < 0) {
      this.sent = []
      this.view = { ...view }
      this.toolbar?.showView()
    }
    this.seen = key
    const answered = JSON.stringify([key, toolbar?.page, toolbar?.chips])
    const isSame = answered === this.answered
    this.answered = answered
    return isSame
  }

  showEmpty() {
    const isEmpty = this.rows.size === 0
    setText(this.empty, isEmpty ? this.noRows : "")
    this.frame.hidden = isEmpty
    this.clear.hidden = !isEmpty || !this.toolbar?.isNarrowed
    const needsStop = !isEmpty && this.root.classList.contains("still") && this.isScrolling()
    setAttribute(this.scroll, "tabindex", needsStop ? "0" : null)
    setAttribute(this.scroll, "role", needsStop ? "region" : null)
    setAttribute(this.scroll, "aria-label", needsStop ? this.name : null)
  }

  isScrolling() {
    const { scrollHeight, clientHeight, scrollWidth, clientWidth } = this.scroll
    return scrollHeight > clientHeight || scrollWidth > clientWidth
  }

  showColumns() {
    this.head.showColumns((column) => this.isHidden(column))
    this.rows.showAll()
    this.fit()
  }

  /** @param {ColumnJson} column */
  isHidden(column) {
    return this.empties.has(column.name) || Boolean(this.choice?.hides(column))
  }

  tick() {
    if (!document.hidden) this.rows.tick()
  }

  // ---- acting

  /** @param {Partial<ViewJson>} part */
  change(part) {
    this.view = { ...this.view, page: 0, ...part }
    this.sent.push(asKey(this.view))
    // The time makes a choice that is made again, after Back, a new one.
    this.send("view", { ...this.view, at: Date.now() })
  }

  /**
   * Sort one way, then the other; the third click restores the default order. Of numbers the largest
   * come first.
   * @param {ColumnJson} column
   */
  sort({ name, kind }) {
    const first = kind === "number" || kind === "length"
    const { sort, descending } = this.view
    if (sort !== name) this.change({ sort: name, descending: first })
    else if (descending === first) this.change({ sort: name, descending: !first })
    else this.change({ sort: "", descending: false })
    this.head.show(this.view)
  }

  /** @param {MouseEvent} event */
  click(event) {
    const node = rowOf(event)
    if (!node) return
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey
    if (node.classList.contains("left")) {
      if (isPlain) event.preventDefault()
      return
    }
    if (closestTo(event, "button.action")) {
      if (event.type === "click") this.act(node)
      return
    }
    /** @type {HTMLAnchorElement | null} */
    const link = node.querySelector("a.link")
    if (!link || event.button > 1 || (event.detail > 0 && this.isSelectingText())) return
    const isOnLink = event.target === link
    if (!isPlain) {
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
    return selection?.type === "Range" && this.rows.body.contains(selection.anchorNode)
  }

  /** @param {RowNode} node */
  act(node) {
    this.select(node)
    this.trigger("acted", node.row.id)
    this.returnFocusTo(node.row.id)
  }

  /** Press the button of the row that has the focus, or was chosen last. */
  actOnCurrent() {
    const node = this.focused() ?? this.current()
    if (node && !node.classList.contains("left") && node.querySelector(ACTION)) this.act(node)
  }

  /**
   * Give the focus back to the row once the dialog that its action opens has closed. The dialog
   * itself cannot: it does not see into a component. Once the agent has a name, Streamlit draws it anew.
   * @param {string} id
   */
  returnFocusTo(id) {
    let wasOpen = false
    const begun = performance.now()
    let closedAt = Infinity
    clearInterval(this.watch)
    this.watch = setInterval(() => {
      const isOpen = document.querySelector("[role=dialog]") !== null
      const now = performance.now()
      if (wasOpen && !isOpen) {
        closedAt = now
        this.focusIfNowhere(this.rows.byId.get(id))
      }
      if (isOpen) closedAt = Infinity
      const wasNeverOpen = !isOpen && !wasOpen && closedAt === Infinity
      if (now - closedAt > DRAWN_ANEW_WITHIN || (wasNeverOpen && now - begun > DIALOG_WITHIN)) {
        clearInterval(this.watch)
      }
      wasOpen = isOpen
    }, 100)
  }

  /** @param {RowNode | undefined} row */
  focusIfNowhere(row) {
    if (document.activeElement === document.body && !focusOn(row, ACTION)) focusOn(row, "a.link")
  }

  /**
   * The rows are one stop for the tab key, their actions another; the arrow keys move within.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const nodes = this.rows.nodes()
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
    if (!isOnAction || !focusOn(next, ACTION)) focusOn(next, "a.link")
  }

  /**
   * Go to the next or the previous row; at first to the row that was chosen last, or the first one.
   * @param {1 | -1} step
   */
  move(step) {
    const nodes = this.rows.nodes()
    const focused = this.focused()
    const next = focused ? nodes[nodes.indexOf(focused) + step] : this.current()
    focusOn(next, "a.link")
  }

  focused() {
    return this.rows.nodes().find((node) => node.contains(focusedIn(this.root)))
  }

  focusFirst() {
    if (!focusOn(this.current(), "a.link")) this.toolbar?.search.focus()
  }

  /** @returns {RowNode | undefined} the row that is one stop for the tab key */
  current() {
    return this.rows.byId.get(this.selected ?? "") ?? this.rows.byId.values().next().value
  }

  /** @param {RowNode | null} node */
  select(node) {
    if (!node || !node.querySelector("a.link")) return
    this.selected = node.row.id
    this.markSelected()
  }

  markSelected() {
    if (!this.rows.byId.has(this.selected ?? "")) this.selected = null
    const current = this.current()
    for (const node of this.rows.byId.values()) {
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
 * The view as a text to compare.
 * @param {ViewJson} view
 */
const asKey = (view) => JSON.stringify(Object.entries(view).sort())

/**
 * Whether the column is to be left out, since no row has a value in it.
 * @param {ColumnJson} column
 * @param {RowJson[]} rows
 */
const isEmpty = ({ name, note, is_optional }, rows) =>
  is_optional && !rows.some((row) => row[name] || row[note])

/**
 * The row in which the event happened.
 * @param {Event} event
 */
const rowOf = (event) => /** @type {RowNode | null} */ (closestTo(event, "tr"))
