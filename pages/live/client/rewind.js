// @ts-check
// The line above the day: which moment is shown, and the ways to another one.

import { make, setAttribute, setText } from "../../parts/table/elements.js"

/** @import { ComponentArguments } from "../../parts/streamlit.js" */
/** @import { RewindData } from "./live_types.js" */

/** @type {WeakMap<ParentNode, Rewind>} */
const REWINDS = new WeakMap()

/** @param {ComponentArguments<RewindData>} component */
export default function draw(component) {
  const { parentElement } = component
  const rewind = REWINDS.get(parentElement) ?? new Rewind(parentElement)
  REWINDS.set(parentElement, rewind)
  rewind.refresh(component)
  return () => {
    rewind.root.remove()
    REWINDS.delete(parentElement)
  }
}

class Rewind {
  /** @param {HTMLElement | ShadowRoot} parent */
  constructor(parent) {
    /** @type {(name: string, value: string) => void} */
    this.send = () => {}
    this.shown = "" // what the field was last given
    this.root = make("div", "component", parent)
    const line = make("div", "line", this.root)
    const head = make("div", "head", line)
    this.title = make("h2", "title", head)
    this.note = make("span", "note", head)
    const controls = make("div", "controls", line)
    controls.setAttribute("role", "group")
    controls.setAttribute("aria-label", "Rewind")
    this.previous = this.makeButton(controls, "previous", "‹", "Previous visit or chat")
    /** @type {Map<number, HTMLButtonElement>} */
    this.plays = new Map()
    this.speeds = make("span", "speeds", controls)
    this.pause = this.makeButton(controls, "pause", "Pause", "Pause")
    this.next = this.makeButton(controls, "next", "›", "Next visit or chat")
    this.form = make("form", "", controls)
    this.field = make("input", "", this.form)
    this.field.type = "datetime-local"
    this.field.step = "1"
    this.field.required = true
    this.go = make("button", "", this.form)
    setText(this.go, "Go")
    this.form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.send("chosen", this.field.value)
    })
    this.live = this.makeButton(controls, "live", "Back to live", "Back to live")
    this.live.classList.add("primary")
    this.said = make("p", "said", this.root)
    this.said.setAttribute("role", "status")
  }

  /**
   * @param {HTMLElement} parent
   * @param {string} name what is sent
   * @param {string} text
   * @param {string} label
   */
  makeButton(parent, name, text, label) {
    const button = make("button", name, parent)
    button.type = "button"
    setText(button, text)
    if (label !== text) button.setAttribute("aria-label", label)
    button.title = label
    button.addEventListener("click", () => this.send("pressed", name))
    return button
  }

  /** @param {ComponentArguments<RewindData>} component */
  refresh({ data, setTriggerValue }) {
    this.send = setTriggerValue
    setText(this.title, data.title)
    setText(this.note, data.note)
    setText(this.said, data.said)
    this.said.hidden = data.said === ""
    const hadFocus = [this.pause, ...this.plays.values()].some((button) => button.matches(":focus"))
    for (const speed of data.speeds) this.showSpeed(speed, data)
    this.pause.hidden = !data.is_past || data.speed === 0
    this.next.hidden = !data.is_past
    this.live.hidden = !data.is_past
    if (hadFocus && !this.root.querySelector("button:focus:not([hidden])")) {
      const [first] = this.plays.values()
      ;(this.pause.hidden ? (first ?? this.previous) : this.pause).focus()
    }
    this.showField(data)
  }

  /**
   * @param {number} speed
   * @param {RewindData} data
   */
  showSpeed(speed, { is_past, speed: played }) {
    let button = this.plays.get(speed)
    if (!button) {
      const label = speed === 1 ? "Play" : `Play ${speed} times as quickly`
      button = this.makeButton(this.speeds, String(speed), speed === 1 ? "Play" : `×${speed}`, label)
      this.plays.set(speed, button)
    }
    button.hidden = !is_past || (played !== 0 && speed === played)
  }

  /**
   * What somebody is writing stays.
   * @param {RewindData} data
   */
  showField({ local, earliest, latest, time_zone }) {
    setAttribute(this.field, "aria-label", `Date and time in ${time_zone}`)
    setAttribute(this.field, "title", `Date and time in ${time_zone}`)
    setAttribute(this.field, "max", latest)
    setAttribute(this.field, "min", earliest)
    if (local === this.shown) return
    if (!this.field.matches(":focus") || this.field.value === this.shown) this.field.value = local
    this.shown = local
  }
}
