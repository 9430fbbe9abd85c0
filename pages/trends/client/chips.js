// @ts-check
// The filters of the trends as chips. A press clears one.

import { childrenOf, focusedIn, make, setText } from "../../parts/table/elements.js"

/** @import { ComponentArguments } from "../../parts/streamlit.js" */
/** @import { ChipsData } from "./trend_types.js" */

/** @type {WeakMap<ParentNode, HTMLElement>} */
const CHIPS = new WeakMap()

/** @param {ComponentArguments<ChipsData>} component */
export default function draw({ parentElement, data, setTriggerValue }) {
  const root = CHIPS.get(parentElement) ?? makeRoot(parentElement)
  CHIPS.set(parentElement, root)
  const focused = [...childrenOf(root)].findIndex((chip) => chip === focusedIn(root))
  root.replaceChildren()
  for (const { name, label } of data.chips) {
    const chip = make("button", "chip", root)
    chip.type = "button"
    setText(make("span", "label", chip), label)
    if (name !== "all") {
      const cross = make("span", "cross", chip)
      setText(cross, "×")
      cross.setAttribute("aria-hidden", "true")
      chip.setAttribute("aria-label", `Clear the filter ${label}`)
    }
    chip.addEventListener("click", () => setTriggerValue("cleared", name))
  }
  if (focused >= 0) childrenOf(root)[Math.min(focused, data.chips.length - 1)]?.focus()
  return () => {
    root.remove()
    CHIPS.delete(parentElement)
  }
}

/** @param {HTMLElement | ShadowRoot} parent */
function makeRoot(parent) {
  const root = make("div", "component chips", parent)
  root.setAttribute("role", "group")
  root.setAttribute("aria-label", "Filters")
  return root
}
