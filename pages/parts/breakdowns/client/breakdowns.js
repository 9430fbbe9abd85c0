// @ts-check
// Shares of visitors or visits, a card for each question. A press on a row narrows the page to it.

import {
  childrenOf,
  closestTo,
  focusedIn,
  make,
  setAttribute,
  setText,
} from "../../table/elements.js"
import { RowHold } from "../../table/row_hold.js"
import { readRows } from "../../table/rows.js"

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { BreakdownJson, BreakdownsData, ShareJson } from "./breakdown_types.js" */
/** @typedef {HTMLLIElement & { share: ShareJson }} ShareRow */

/** @type {WeakMap<ParentNode, BreakdownCards>} */
const BREAKDOWNS = new WeakMap()

/** @param {ComponentArguments<BreakdownsData>} component */
export default function draw(component) {
  const { parentElement } = component
  const breakdowns = BREAKDOWNS.get(parentElement) ?? new BreakdownCards(parentElement)
  BREAKDOWNS.set(parentElement, breakdowns)
  breakdowns.refresh(component)
  return () => {
    breakdowns.root.remove()
    BREAKDOWNS.delete(parentElement)
  }
}

class BreakdownCards {
  /** @param {HTMLElement | ShadowRoot} parent */
  constructor(parent) {
    this.root = make("div", "component", parent)
    this.cards = make("div", "cards", this.root)
    /** @type {Map<string, BreakdownCard>} */
    this.byColumn = new Map()
  }

  /** @param {ComponentArguments<BreakdownsData>} component */
  refresh({ data, setTriggerValue }) {
    this.root.hidden = data.breakdowns.every(({ shares }) => shares.data.length === 0)
    for (const breakdown of data.breakdowns) {
      let card = this.byColumn.get(breakdown.column)
      if (!card) {
        card = new BreakdownCard(this.cards, breakdown, data.noun)
        this.byColumn.set(breakdown.column, card)
      }
      card.refresh(breakdown, data.chosen[breakdown.column], (value) =>
        setTriggerValue("pressed", { column: breakdown.column, value }),
      )
    }
  }
}

class BreakdownCard {
  /**
   * @param {HTMLElement} parent
   * @param {BreakdownJson} breakdown
   * @param {string} noun
   */
  constructor(parent, { column, label }, noun) {
    this.noun = noun
    /** @type {(value: string) => void} */
    this.press = () => {}
    this.isOpen = false
    /** @type {ShareJson[]} */
    this.shares = []
    /** @type {string | undefined} The value to which the visitors are narrowed. */
    this.chosen = undefined
    /** @type {Map<string, ShareRow>} */
    this.rows = new Map()
    const card = make("section", "card", parent)
    const heading = make("h3", "title", card)
    heading.id = `by-${column}`
    setText(heading, label)
    this.list = make("ul", "", card)
    const counted = `${noun[0].toUpperCase()}${noun.slice(1)}s`
    this.list.setAttribute("aria-label", `${counted} by ${label}`)
    this.list.addEventListener("click", (event) => {
      const row = /** @type {ShareRow | null} */ (closestTo(event, "li"))
      if (row && !row.share.is_sum) this.press(row.share.value)
    })
    this.more = make("button", "more", card)
    this.more.type = "button"
    this.more.addEventListener("click", () => {
      this.isOpen = !this.isOpen
      this.show()
    })
    this.label = label
    this.hold = new RowHold([this.list], () => this.show())
  }

  /**
   * @param {BreakdownJson} breakdown
   * @param {string | undefined} chosen
   * @param {(value: string) => void} press
   */
  refresh({ shares }, chosen, press) {
    this.shares = /** @type {ShareJson[]} */ (readRows(shares))
    this.chosen = chosen
    this.press = press
    if (this.hold.isHeld()) this.keepPlaces()
    else this.show()
  }

  /** New numbers in the rows that are there, while somebody is about to press one. */
  keepPlaces() {
    const received = new Map(this.shares.map((share) => [share.value, share]))
    for (const [value, row] of this.rows) {
      const share = received.get(value)
      const none = { ...row.share, percent: 0, visits: 0, note: "" }
      showRow(row, share ?? none, this.noun, !!share && value === this.chosen)
    }
  }

  show() {
    const folded = this.shares.filter(({ folded }) => folded)
    const named = folded.reduce((sum, { visits }) => sum + visits, 0)
    const shown = this.shares.filter(({ folded, is_rest, visits }) =>
      this.isOpen ? !is_rest || visits > named : !folded,
    )
    const kept = new Map()
    for (const share of shown) {
      const row = this.rows.get(share.value) ?? makeRow(share)
      kept.set(share.value, row)
      showRow(row, share, this.noun, share.value === this.chosen)
    }
    const focused = focusedIn(this.list)
    const position = [...this.rows.values()].findIndex((row) => row.contains(focused))
    for (const [value, row] of this.rows) if (!kept.has(value)) row.remove()
    this.rows = kept
    this.place([...kept.values()])
    if (position >= 0) this.hold.unmoved(() => this.returnFocus(focused, position))
    this.more.hidden = folded.length === 0
    setText(this.more, this.isOpen ? "Less" : `${folded.length} more`)
    setAttribute(this.more, "aria-label", `${this.more.textContent} in ${this.label}`)
    this.more.setAttribute("aria-expanded", String(this.isOpen))
  }

  /**
   * A node loses the focus when it is moved; that of a row that is gone goes to its neighbour.
   * @param {HTMLElement | null} focused
   * @param {number} position
   */
  returnFocus(focused, position) {
    if (focused?.isConnected && focusedIn(this.list) === focused) return
    const rows = childrenOf(this.list)
    const row = focused?.isConnected ? focused.closest("li") : rows[Math.min(position, rows.length - 1)]
    const target = row?.querySelector("button") ?? this.more
    target.focus({ preventScroll: true })
  }

  /**
   * Only what is out of its place is moved.
   * @param {ShareRow[]} rows
   */
  place(rows) {
    let next = this.list.firstChild
    for (const row of rows) {
      if (row === next) next = row.nextSibling
      else this.list.insertBefore(row, next)
    }
  }
}

/**
 * @param {ShareJson} share
 * @returns {ShareRow}
 */
function makeRow(share) {
  const row = Object.assign(document.createElement("li"), { share })
  const button = make("button", "share", row)
  button.type = "button"
  make("span", "bar", button).setAttribute("aria-hidden", "true")
  make("span", "flag", button).setAttribute("aria-hidden", "true")
  make("span", "word", button)
  make("span", "note", button)
  make("span", "percent", button)
  make("span", "visits", button)
  make("span", "unseen", button)
  return row
}

/**
 * @param {ShareRow} row
 * @param {ShareJson} share
 * @param {string} noun
 * @param {boolean} isPressed
 */
function showRow(row, share, noun, isPressed) {
  const { label, flag, percent, visits, note, folded, is_sum: isSum } = share
  row.share = share
  const button = childrenOf(row)[0]
  const [bar, sign, word, beside, part, number, unseen] = childrenOf(button)
  bar.style.width = `${percent}%`
  setText(sign, flag)
  setText(word, label)
  setAttribute(word, "title", label)
  setText(beside, note)
  setText(part, `${Math.round(percent)}%`)
  setText(number, visits.toLocaleString("en"))
  setText(unseen, visits === 1 ? ` ${noun}` : ` ${noun}s`)
  if (isSum) button.setAttribute("aria-disabled", "true")
  else button.setAttribute("aria-pressed", String(isPressed))
  row.classList.toggle("folded", folded)
}
