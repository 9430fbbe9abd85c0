// @ts-check
// Whether the rows must keep their places, because somebody is about to use one of them.

import { focusedIn } from "./elements.js"

/** Milliseconds for which a pointer or the focus that rests on the rows holds them: nobody may be there. */
const RESTING_HOLDS = 60_000

export class RowHold {
  /**
   * @param {HTMLElement[]} parts the rows, and what lies over them: a click on it must not go to a row
   * @param {() => void} release called when they are held no longer
   */
  constructor(parts, release) {
    this.parts = parts
    this.release = release
    this.isOver = false
    this.movedAt = 0
    for (const part of parts) {
      part.addEventListener("pointerover", (event) => this.move(event))
      part.addEventListener("pointermove", (event) => this.move(event))
      part.addEventListener("pointerleave", (event) => this.leave(event))
      for (const event of ["focusin", "keydown"]) part.addEventListener(event, () => this.note())
      part.addEventListener("focusout", () => setTimeout(() => this.check()))
    }
  }

  /** @param {PointerEvent} event */
  move({ pointerType }) {
    this.isOver = pointerType !== "touch"
    this.note()
  }

  note() {
    this.movedAt = performance.now()
  }

  /**
   * Where the page itself moves the focus, nobody has moved anything.
   * @param {() => void} act
   */
  unmoved(act) {
    const { movedAt } = this
    act()
    this.movedAt = movedAt
  }

  /** @param {PointerEvent} event */
  leave({ relatedTarget }) {
    this.isOver = this.contains(relatedTarget)
    this.check()
  }

  check() {
    if (!this.isHeld()) this.release()
  }

  isHeld() {
    const isResting = performance.now() - this.movedAt >= RESTING_HOLDS
    return !isResting && (this.isOver || this.hasFocus())
  }

  hasFocus() {
    return document.hasFocus() && this.contains(focusedIn(this.parts[0]))
  }

  /** @param {EventTarget | null} target */
  contains(target) {
    return target instanceof Node && this.parts.some((part) => part.contains(target))
  }
}
