// A table that lives through refreshes: the same rows stay the same nodes, so that focus, selection,
// scroll and the text in the search box survive. One instance for each element of the page, for as
// long as its columns are the same: an edited declaration makes a new one.

const INSTANCES = new WeakMap()
const ACTION = "button.action:not([hidden])"

export default function draw(component) {
  const { parentElement } = component
  const declared = JSON.stringify(component.data.table.columns)
  let table = INSTANCES.get(parentElement)
  if (table?.declared !== declared) {
    table?.stop()
    table = new VisitorTable(parentElement, component.data)
    table.declared = declared
    INSTANCES.set(parentElement, table)
  }
  table.refresh(component)
  return () => {
    table.stop()
    INSTANCES.delete(parentElement)
  }
}

class VisitorTable {
  constructor(parent, data) {
    this.columns = data.table.columns
    this.view = { ...data.view }
    this.rows = new Map()
    this.selected = data.selected || null
    this.root = make("section", `table-root ${data.table.layout}`, parent)
    this.toolbar = data.toolbar ? new Toolbar(this.root, this, data) : null
    this.scroll = make("div", "scroll", this.root)
    this.table = make("table", "", this.scroll)
    this.table.setAttribute("role", "table")
    setText(make("caption", "unseen", this.table), data.table.name)
    this.makeHead(make("thead", "", this.table))
    this.body = make("tbody", "", this.table)
    this.body.setAttribute("role", "rowgroup")
    this.empty = make("p", "empty", this.root)
    this.body.addEventListener("click", (event) => this.click(event))
    this.body.addEventListener("auxclick", (event) => this.click(event))
    this.body.addEventListener("keydown", (event) => this.key(event))
    this.body.addEventListener("focusin", (event) => this.select(event.target.closest("tr")))
    this.timer = setInterval(() => this.tick(), 1000)
  }

  stop() {
    clearInterval(this.timer)
    clearInterval(this.watch)
    this.toolbar?.stop()
    this.root.remove()
  }

  // ---- drawing

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
    this.toolbar?.refresh(data)
    this.showSort()
    this.placeRows(readRows(data.rows))
    setText(this.empty, this.rows.size ? "" : data.table.empty)
    this.scroll.hidden = this.rows.size === 0
  }

  makeHead(head) {
    head.setAttribute("role", "rowgroup")
    const row = make("tr", "", head)
    row.setAttribute("role", "row")
    for (const column of this.columns) {
      const cell = make("th", `kind-${column.kind}`, row)
      cell.scope = "col"
      cell.setAttribute("role", "columnheader")
      cell.dataset.name = column.name
      setAttribute(cell, "title", column.help)
      if (!column.sorts) {
        setText(make("span", "", cell), column.label)
        continue
      }
      const button = make("button", "sort", cell)
      button.type = "button"
      setText(button, column.label)
      make("span", "arrow", button).setAttribute("aria-hidden", "true")
      button.addEventListener("click", () => this.sort(column.name))
    }
    this.head = row
  }

  showSort() {
    for (const cell of this.head.children) {
      const isSorted = cell.dataset.name === this.view.sort
      const direction = this.view.descending ? "descending" : "ascending"
      setAttribute(cell, "aria-sort", isSorted ? direction : null)
    }
  }

  placeRows(rows) {
    const root = this.root.getRootNode()
    const focused = root.activeElement
    const kept = new Map()
    let next = this.body.firstChild
    for (const row of rows) {
      const node = this.rows.get(row.id) ?? this.makeRow(row.id)
      kept.set(row.id, node)
      node.row = row
      if (node === next) next = next.nextSibling
      else this.body.insertBefore(node, next)
      this.showRow(node)
    }
    for (const [id, node] of this.rows) if (!kept.has(id)) node.remove()
    this.rows = kept
    if (!kept.has(this.selected)) this.selected = null
    this.markSelected()
    // Moving a node takes its focus away, and so does hiding one.
    if (!focused?.isConnected) return
    if (focused.hidden) focusOn(focused.closest("tr"), "a.link")
    else if (root.activeElement !== focused) focused.focus({ preventScroll: true })
  }

  makeRow(id) {
    const node = document.createElement("tr")
    node.dataset.id = id
    node.setAttribute("role", "row")
    for (const column of this.columns) {
      const cell = make("td", `kind-${column.kind}`, node)
      cell.setAttribute("role", "cell")
      cell.dataset.name = column.name
      cell.dataset.label = column.label
      KINDS[column.kind].make?.(cell, column)
    }
    return node
  }

  showRow(node) {
    this.columns.forEach((column, index) => {
      const cell = node.children[index]
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
        tick(node.children[index], node.row, column, this.context)
      }
    })
  }

  // ---- acting

  change(part) {
    this.view = { ...this.view, page: 0, ...part }
    this.send("view", this.view)
  }

  // Up, down, and at the third click back to the default order.
  sort(name) {
    const { sort, descending } = this.view
    if (sort !== name) this.change({ sort: name, descending: false })
    else if (!descending) this.change({ sort: name, descending: true })
    else this.change({ sort: "", descending: false })
    this.showSort()
  }

  click(event) {
    const node = event.target.closest("tr")
    if (!node) return
    if (event.target.closest("button.action")) {
      if (event.type === "click") this.act(node)
      return
    }
    const button = node.querySelector("button.choice")
    if (button) {
      if (!button.disabled && event.type === "click") this.trigger("pressed", node.dataset.id)
      return
    }
    const link = node.querySelector("a.link")
    if (!link || event.button > 1 || (event.detail > 0 && this.isSelectingText())) return
    const isOnLink = event.target === link
    if (event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey) {
      if (!isOnLink) window.open(link.href, "_blank", "noopener")
      return
    }
    event.preventDefault()
    this.select(node)
    this.toolbar?.tellSearch()
    this.trigger("opened", node.dataset.id)
  }

  isSelectingText() {
    const root = this.root.getRootNode()
    const selection = root.getSelection ? root.getSelection() : document.getSelection()
    return selection?.type === "Range" && this.body.contains(selection.anchorNode)
  }

  act(node) {
    this.select(node)
    this.trigger("acted", node.dataset.id)
    this.returnFocusTo(node.dataset.id)
  }

  // A dialog that an action opens gives the focus back to nobody: it cannot see into a component.
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

  // The rows are one stop of the tab key, and their actions another; arrows move within.
  key(event) {
    const nodes = [...this.rows.values()]
    const node = event.target.closest("tr")
    if (event.key === "ArrowRight") focusOn(node, ACTION)
    if (event.key === "ArrowLeft") focusOn(node, "a.link")
    const here = nodes.indexOf(node)
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
    const isOnAction = event.target.closest("button.action") !== null
    if (!isOnAction || !focusOn(next, ACTION)) focusOn(next, "a.link, button.choice:enabled")
  }

  select(node) {
    if (!node || !node.querySelector("a.link")) return
    this.selected = node.dataset.id
    this.markSelected()
  }

  markSelected() {
    const first = this.rows.values().next().value
    const current = this.rows.get(this.selected) ?? first
    for (const node of this.rows.values()) {
      const isSelected = node.dataset.id === this.selected
      setAttribute(node, "aria-current", isSelected ? "true" : null)
      for (const stop of node.querySelectorAll("a.link, button.action")) {
        stop.tabIndex = node === current ? 0 : -1
      }
    }
  }
}

// Whether there was something in the row to put the focus on.
function focusOn(row, selector) {
  const found = row?.querySelector(selector)
  found?.focus()
  return Boolean(found)
}

// Rows as plain objects from an Arrow table; whole numbers may arrive as BigInt.
function readRows(arrow) {
  const names = arrow.schema.fields.map((field) => field.name)
  const vectors = names.map((name) => arrow.getChild(name))
  return Array.from({ length: arrow.numRows }, (_, position) => {
    const row = {}
    names.forEach((name, index) => {
      const value = vectors[index].get(position)
      row[name] = typeof value === "bigint" ? Number(value) : value
    })
    return row
  })
}
