// @ts-check
// What a cell of each kind shows. Text from visitors only ever goes into textContent and title.

import { childrenOf, make, setAttribute, setText } from "./elements.js"
import { activityLabel, lengthLabel } from "./labels.js"

/** @import { CellDrawing, CellKind, ShowCell } from "./table_types.js" */

/** @type {Record<CellKind, CellDrawing>} */
export const KINDS = {
  text: {
    make: (cell) => {
      make("span", "word", cell)
      make("span", "note", cell)
    },
    show: (cell, row, column) => {
      const [word, note] = childrenOf(cell)
      setText(word, String(row[column.name] ?? ""))
      setText(note, row[column.note] ?? "")
    },
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
      const [, name, unseen] = childrenOf(cell)
      cell.style.setProperty("--back", column.colours[word]?.back ?? "currentColor")
      cell.classList.toggle("away", !row.in_view)
      cell.classList.toggle("pulse", word === column.pulse)
      setText(name, word)
      setText(unseen, row.in_view ? "" : ", away")
      setAttribute(cell, "title", row.in_view ? "The page is in view" : "Away: the page is not in view")
    },
  },

  link: {
    make: (cell) => {
      make("a", "link", cell).tabIndex = -1
    },
    show: (cell, row, column, context) => {
      const [link] = childrenOf(cell)
      setText(link, row[column.name])
      setAttribute(link, "href", row.href ?? context.href + encodeURIComponent(row.id))
    },
  },

  badge: {
    make: (cell) => {
      make("span", "badge", cell)
      make("span", "note", cell)
    },
    show: (cell, row, column) => {
      const [badge, note] = childrenOf(cell)
      const word = row[column.name] ?? ""
      badge.hidden = word === ""
      setText(badge, word)
      setText(note, row[column.note] ?? "")
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
      const [flag, code] = childrenOf(cell)
      setText(flag, row.flag ?? "")
      setText(code, row[column.name] || row.country_name || "")
    },
  },

  length: {
    show: tickLength,
    tick: tickLength,
  },

  activity: {
    show: tickActivity,
    tick: tickActivity,
  },

  action: {
    make: (cell) => {
      const button = make("button", "action", cell)
      button.type = "button"
      make("span", "word", button)
      make("span", "note", button)
      const dash = make("span", "dash", cell)
      const sign = make("span", "", dash)
      setText(sign, "–")
      sign.setAttribute("aria-hidden", "true")
      make("span", "unseen", dash)
    },
    show: (cell, row, column) => {
      const [button, dash] = childrenOf(cell)
      const [word, note] = childrenOf(button)
      const [, unseen] = childrenOf(dash)
      const action = column.actions[row[column.name]] ?? NO_ACTION
      // A function, because in a replacement text "$&" from a visitor's path has a meaning.
      const name = action.name.replace(/\{(\w+)\}/g, (_, column) => String(row[column] ?? ""))
      button.hidden = action.label === ""
      dash.hidden = action.label !== ""
      button.classList.toggle("quiet", action.is_quiet)
      setText(word, action.label)
      setText(note, action.note)
      setAttribute(button, "aria-label", name)
      setAttribute(dash, "title", name)
      setText(unseen, name)
    },
  },
}

const NO_ACTION = { label: "", name: "", note: "", is_quiet: true }

/** @type {ShowCell} */
function tickLength(cell, row, column, context) {
  const passed = column.ticks && row[column.ticks] ? context.passed() : 0
  setText(cell, lengthLabel(row[column.name] + passed))
}

/** @type {ShowCell} */
function tickActivity(cell, row, column, context) {
  const seconds = row[column.name] + context.passed()
  setText(cell, activityLabel(seconds, context.limits))
  cell.parentElement?.classList.toggle("dim", seconds >= context.limits.idle)
  cell.classList.toggle("active", seconds < context.limits.active)
}
