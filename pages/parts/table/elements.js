// @ts-check
// Making, finding and changing elements. Text from visitors only ever goes into textContent and title.

/**
 * A new element, the last one in its parent.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {ParentNode} [parent]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, className, parent) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (parent) parent.append(node)
  return node
}

/**
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string | null} value
 */
export function setAttribute(node, name, value) {
  if (value === null || value === "") node.removeAttribute(name)
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

/**
 * The child elements, all made by `make`.
 * @param {Element} node
 */
export const childrenOf = (node) => /** @type {HTMLCollectionOf<HTMLElement>} */ (node.children)

/**
 * The document or the component's shadow root: its `activeElement` has the focus.
 * @param {Node} node
 */
export const rootOf = (node) => /** @type {Document | ShadowRoot} */ (node.getRootNode())

/**
 * The element that has the focus there, so that it can get it back.
 * @param {Node} node
 */
export const focusedIn = (node) => /** @type {HTMLElement | null} */ (rootOf(node).activeElement)

/**
 * The element of this kind in which the event happened.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const closestTo = (event, selector) =>
  event.target instanceof Element ? event.target.closest(selector) : null

/**
 * Focus the first element of this kind that is to be seen; returns whether there is one.
 * @param {Element | null | undefined} node
 * @param {string} selector
 */
export function focusOn(node, selector) {
  /** @type {HTMLElement | null | undefined} */
  const found = node?.querySelector(selector)
  found?.focus()
  return Boolean(found)
}

/** What lies over the page, has keys of its own and closes by Escape: ours, or Streamlit's. */
export const OVERLAY = "dialog[open], [aria-modal=true], [role=dialog], [role=listbox], [role=menu]"

export const FOCUS_ROW = "visitor-monitor-focus-row"

/**
 * Give the focus to the row of a table, wherever on the page that is.
 * @param {string} id
 */
export const focusRow = (id) => window.dispatchEvent(new CustomEvent(FOCUS_ROW, { detail: id }))
