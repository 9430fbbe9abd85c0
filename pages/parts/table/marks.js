// @ts-check
// Marks what has changed, for a moment.

/** As long as the animation in table.css, in milliseconds. */
const MARKED_FOR = 4_000

/** @type {WeakMap<Element, ReturnType<typeof setTimeout>>} */
const ENDS = new WeakMap()

/** @param {HTMLElement} element */
export function mark(element) {
  clearTimeout(ENDS.get(element))
  if (element.classList.contains("changed")) {
    element.classList.remove("changed")
    void element.offsetWidth // else the animation would not begin again
  }
  element.classList.add("changed")
  ENDS.set(
    element,
    setTimeout(() => element.classList.remove("changed"), MARKED_FOR),
  )
}
