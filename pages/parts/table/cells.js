// What a cell of each kind shows. Text from visitors only ever goes into textContent and title.

import { make, setAttribute, setText } from "./elements.js"
import { activityLabel, lengthLabel } from "./labels.js"

// Each kind: make(cell, column, act) once for a new row, show(cell, row, column, context) at every
// refresh, tick(cell, row, column, context) every second.
export const KINDS = {
  text: {
    show: (cell, row, column) => setText(cell, String(row[column.name] ?? "")),
  },

  page: {
    show: (cell, row, column) => setText(cell, row[column.name] ?? ""),
  },

  number: {
    show: (cell, row, column) => setText(cell, Number(row[column.name]).toLocaleString("en")),
  },

  status: {
    make: (cell) => {
      make("span", "dot", cell)
      make("span", "word", cell)
      make("span", "unseen", cell)
    },
    show: (cell, row, column) => {
      const word = row[column.name]
      cell.style.setProperty("--back", column.colours[word]?.back ?? "currentColor")
      cell.classList.toggle("away", !row.in_view)
      cell.classList.toggle("pulse", word === column.pulse)
      setText(cell.children[1], word)
      setText(cell.children[2], row.in_view ? "" : ", away")
      setAttribute(cell, "title", row.in_view ? "The page is in view" : "Away: the page is not in view")
    },
  },

  link: {
    make: (cell) => {
      make("a", "link", cell).tabIndex = -1
    },
    show: (cell, row, column, context) => {
      const link = cell.firstChild
      setText(link, row[column.name])
      setAttribute(link, "href", context.href + encodeURIComponent(row.id))
    },
  },

  badge: {
    make: (cell) => {
      make("span", "badge", cell)
    },
    show: (cell, row, column) => {
      const word = row[column.name] ?? ""
      cell.firstChild.hidden = word === ""
      setText(cell.firstChild, word)
      cell.style.setProperty("--back", column.colours[word]?.back ?? "#475569")
      cell.style.setProperty("--on-back", column.colours[word]?.text ?? "#fff")
    },
  },

  country: {
    make: (cell) => {
      make("span", "flag", cell).setAttribute("aria-hidden", "true")
      make("span", "code", cell)
    },
    show: (cell, row, column) => {
      setText(cell.firstChild, row.flag ?? "")
      setText(cell.lastChild, row[column.name] || "–")
    },
  },

  length: {
    show: (cell, row, column, context) => KINDS.length.tick(cell, row, column, context),
    tick: (cell, row, column, context) => {
      const passed = column.ticks && row[column.ticks] ? context.passed() : 0
      setText(cell, lengthLabel(row[column.name] + passed))
    },
  },

  activity: {
    show: (cell, row, column, context) => KINDS.activity.tick(cell, row, column, context),
    tick: (cell, row, column, context) => {
      const seconds = row[column.name] + context.passed()
      setText(cell, activityLabel(seconds, context.limits))
      cell.parentNode.classList.toggle("dim", seconds >= context.limits.idle)
      cell.classList.toggle("active", seconds < context.limits.active)
    },
  },

  choice: {
    make: (cell) => {
      const button = make("button", "choice", cell)
      button.type = "button"
      make("span", "flag", button).setAttribute("aria-hidden", "true")
      make("span", "word", button)
    },
    show: (cell, row, column) => {
      const button = cell.firstChild
      button.disabled = !row.choosable
      setText(button.firstChild, row.flag ?? "")
      setText(button.lastChild, row[column.name])
      if (row.choosable) button.setAttribute("aria-pressed", String(Boolean(row.pressed)))
      else button.removeAttribute("aria-pressed")
      cell.parentNode.classList.toggle("pressed", Boolean(row.pressed))
    },
  },

  share: {
    make: (cell) => {
      make("span", "filled", make("span", "bar", cell))
      make("span", "percent", cell)
    },
    show: (cell, row, column) => {
      const percent = Number(row[column.name])
      cell.firstChild.firstChild.style.width = `${percent}%`
      setText(cell.lastChild, `${Math.round(percent)}%`)
    },
  },

  action: {
    make: (cell) => {
      const button = make("button", "action", cell)
      button.type = "button"
      make("span", "word", button)
      make("span", "note", button)
      const dash = make("span", "dash", cell)
      setText(make("span", "", dash), "–")
      dash.firstChild.setAttribute("aria-hidden", "true")
      make("span", "unseen", dash)
    },
    show: (cell, row, column) => {
      const [button, dash] = cell.children
      const action = column.actions[row[column.name]] ?? NO_ACTION
      // A function, because "$&" in a visitor's path would mean something in a text.
      const name = action.name.replace(/\{(\w+)\}/g, (_, column) => String(row[column] ?? ""))
      button.hidden = action.label === ""
      dash.hidden = action.label !== ""
      button.classList.toggle("quiet", action.is_quiet)
      setText(button.firstChild, action.label)
      setText(button.lastChild, action.note)
      setAttribute(button, "aria-label", name)
      setAttribute(dash, "title", name)
      setText(dash.lastChild, name)
    },
  },
}

const NO_ACTION = { label: "", name: "", note: "", is_quiet: true }
