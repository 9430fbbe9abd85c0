// @ts-check
// The row of numbers. Each has a button that tells its rule, by pointer and by keyboard.

import { childrenOf, make, setText } from "../../parts/table/elements.js"

/** @import { ComponentArguments } from "../../parts/streamlit.js" */
/** @import { NumberJson, NumbersData } from "./live_types.js" */

/** @type {WeakMap<ParentNode, Numbers>} */
const NUMBERS = new WeakMap()

/** @param {ComponentArguments<NumbersData>} component */
export default function draw({ parentElement, data }) {
  const numbers = NUMBERS.get(parentElement) ?? new Numbers(parentElement)
  NUMBERS.set(parentElement, numbers)
  numbers.refresh(data.numbers)
  return () => {
    numbers.root.remove()
    NUMBERS.delete(parentElement)
  }
}

class Numbers {
  /** @param {HTMLElement | ShadowRoot} parent */
  constructor(parent) {
    this.root = make("div", "component", parent)
    this.list = make("dl", "", this.root)
  }

  /** @param {NumberJson[]} numbers */
  refresh(numbers) {
    numbers.forEach((number, position) => {
      const part = childrenOf(this.list)[position] ?? makeNumber(this.list, position)
      showNumber(part, number)
    })
  }
}

/**
 * @param {HTMLElement} list
 * @param {number} position
 */
function makeNumber(list, position) {
  const part = make("div", "number", list)
  const term = make("dt", "", part)
  make("span", "label", term)
  const help = make("button", "help", term)
  help.type = "button"
  setText(help, "?")
  const rule = make("span", "rule", term)
  rule.id = `rule-${position}`
  rule.setAttribute("role", "tooltip")
  help.setAttribute("aria-describedby", rule.id)
  const shut = (/** @type {boolean} */ isShut) => part.classList.toggle("shut", isShut)
  help.addEventListener("keydown", (event) => {
    if (event.key === "Escape") shut(true)
  })
  help.addEventListener("blur", () => shut(false))
  help.addEventListener("pointerenter", () => shut(false))
  const value = make("dd", "", part)
  make("span", "value", value)
  make("span", "note", value)
  return part
}

/**
 * @param {HTMLElement} part
 * @param {NumberJson} number
 */
function showNumber(part, { label, value, note, rule }) {
  const [term, shown] = childrenOf(part)
  const [name, help, text] = childrenOf(term)
  const [figure, under] = childrenOf(shown)
  setText(name, label)
  help.setAttribute("aria-label", `What ${label} counts`)
  setText(text, rule)
  setText(figure, value)
  setText(under, note)
}
