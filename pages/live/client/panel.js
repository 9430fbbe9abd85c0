// @ts-check
// The head of the panel beside the list: a button that closes it, Escape that does the same, and the
// focus, which goes into the panel when a visitor is opened and back to the row when it is closed.

import { OVERLAY, focusRow, make, rootOf, setText } from "../../parts/table/elements.js"

/** @import { ComponentArguments } from "../../parts/streamlit.js" */
/** @import { PanelData } from "./live_types.js" */

/** @type {WeakMap<ParentNode, Panel>} */
const PANELS = new WeakMap()
const REGION = ".st-key-opened_visitor"
const FIELDS = "input, textarea, select, [contenteditable]"
/** Where the focus is in one of these, Escape is for it: a field, an open menu, a rule that is shown. */
const CLOSES_BY_ESCAPE = `${FIELDS}, ${OVERLAY}, details.menu[open], .number:not(.shut) .help:focus-visible`

/** @param {ComponentArguments<PanelData>} component */
export default function draw(component) {
  const { parentElement } = component
  const panel = PANELS.get(parentElement) ?? new Panel(component)
  PANELS.set(parentElement, panel)
  panel.refresh(component)
  return () => {
    panel.stop()
    PANELS.delete(parentElement)
  }
}

class Panel {
  /** @param {ComponentArguments<PanelData>} component */
  constructor({ parentElement, data, setTriggerValue }) {
    this.trigger = setTriggerValue
    this.row = data.row
    this.parameter = data.parameter
    this.times = 0
    this.root = make("div", "component", parentElement)
    this.button = make("button", "close", this.root)
    this.button.type = "button"
    setText(make("span", "", this.button), "×")
    setText(make("span", "", this.button), data.close)
    this.button.addEventListener("click", () => this.close())
    this.region = regionOf(this.root)
    /** @param {KeyboardEvent} event */
    this.key = (event) => {
      if (event.key === "Escape" && !isTakenElsewhere(event)) this.close()
    }
    // Before the components, which keep some keys to themselves.
    window.addEventListener("keydown", this.key, true)
    this.hasFocus = false
    /** @param {FocusEvent} event */
    this.follow = (event) => {
      this.hasFocus = this.region?.contains(/** @type {Node} */ (event.target)) ?? false
    }
    document.addEventListener("focusin", this.follow)
  }

  /** @param {ComponentArguments<PanelData>} component */
  refresh({ data, setTriggerValue }) {
    this.trigger = setTriggerValue
    this.row = data.row
    this.dress(data.label)
    // 0: the page was opened with the visitor, and the focus stays where a page begins.
    if (data.times !== this.times) this.region?.focus({ preventScroll: true })
    this.times = data.times
  }

  /** @param {string} label */
  dress(label) {
    const { region } = this
    if (!region) return
    region.tabIndex = -1
    region.setAttribute("role", "region")
    region.setAttribute("aria-label", label)
    const theme = getComputedStyle(this.root)
    region.style.setProperty("--panel-page", theme.getPropertyValue("--page"))
    region.style.setProperty("--panel-line", theme.getPropertyValue("--line"))
  }

  close() {
    this.hasFocus = true
    this.trigger("closed", this.row)
  }

  stop() {
    window.removeEventListener("keydown", this.key, true)
    document.removeEventListener("focusin", this.follow)
    this.root.remove()
    if (!this.hasFocus) return
    // After Back to another visitor the page makes the panel anew: the address says so at once.
    if (!new URLSearchParams(location.search).has(this.parameter)) focusRow(this.row)
  }
}

/**
 * The container of the page that holds this component.
 * @param {HTMLElement} root
 * @returns {HTMLElement | null}
 */
function regionOf(root) {
  const shadow = rootOf(root)
  const host = shadow instanceof ShadowRoot ? shadow.host : root
  return host.closest(REGION)
}

/**
 * Whether Escape closes or empties something else, which is further in.
 * @param {KeyboardEvent} event
 */
function isTakenElsewhere(event) {
  return (
    event.defaultPrevented ||
    document.querySelector(OVERLAY) !== null ||
    event.composedPath().some((node) => node instanceof Element && node.matches(CLOSES_BY_ESCAPE))
  )
}
