// @ts-check
// The day as a slider, below the chart of it. What is slid over is not sent, only where the slider stays.

import { make, setAttribute, setText } from "../../parts/table/elements.js"

/** @import { ComponentArguments } from "../../parts/streamlit.js" */
/** @import { DaySliderData } from "./live_types.js" */

/** @type {WeakMap<ParentNode, DaySlider>} */
const SLIDERS = new WeakMap()
const STAYS_FOR = 400
const MINUTE = 60_000
const LABEL_EVERY = 180

/** @param {ComponentArguments<DaySliderData>} component */
export default function draw(component) {
  const { parentElement } = component
  const slider = SLIDERS.get(parentElement) ?? new DaySlider(parentElement)
  SLIDERS.set(parentElement, slider)
  slider.refresh(component)
  return () => {
    slider.stop()
    SLIDERS.delete(parentElement)
  }
}

class DaySlider {
  /** @param {HTMLElement | ShadowRoot} parent */
  constructor(parent) {
    /** @type {(minute: number) => void} */
    this.send = () => {}
    this.isHeld = false
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    this.day = ""
    this.root = make("div", "component", parent)
    this.range = make("input", "", this.root)
    this.range.type = "range"
    this.range.step = "1"
    this.range.min = "0"
    this.range.setAttribute("aria-label", "Time of the day")
    this.bubble = make("output", "bubble", this.root)
    this.bubble.hidden = true
    this.hours = make("div", "hours", this.root)
    this.hours.setAttribute("aria-hidden", "true")
    this.range.addEventListener("input", () => {
      this.isHeld = true
      clearTimeout(this.timer)
      this.say(true)
    })
    this.range.addEventListener("change", () => {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.choose(), STAYS_FOR)
    })
  }

  choose() {
    this.isHeld = false
    this.bubble.hidden = true
    this.send(this.range.valueAsNumber)
  }

  /** @param {ComponentArguments<DaySliderData>} component */
  refresh({ data, setTriggerValue }) {
    this.data = data
    this.send = (minute) => setTriggerValue("slid", minute)
    this.range.max = String(data.minutes - 1)
    if (!this.isHeld) this.range.value = String(data.minute)
    this.say(this.isHeld)
    const day = `${data.from_at} ${data.minutes} ${data.time_zone}`
    if (day !== this.day) this.showHours(data)
    this.day = day
  }

  /**
   * Say where it is; while it is moved, beside it too.
   * @param {boolean} isSeen
   */
  say(isSeen) {
    if (!this.data) return
    const minute = this.range.valueAsNumber
    const text = timeOf(this.data, minute)
    setAttribute(this.range, "aria-valuetext", text)
    setText(this.bubble, text)
    this.bubble.hidden = !isSeen
    this.bubble.style.left = `${(100 * minute) / Math.max(this.data.minutes - 1, 1)}%`
  }

  /** @param {DaySliderData} data */
  showHours(data) {
    this.hours.replaceChildren()
    for (let minute = 0; minute < data.minutes; minute += 60) {
      const text = timeOf(data, minute)
      const [hour, past] = text.split(":").map(Number)
      if (past !== 0 || ((hour ?? 0) * 60) % LABEL_EVERY !== 0) continue
      const label = make("span", ((hour ?? 0) * 60) % (2 * LABEL_EVERY) ? "minor" : "", this.hours)
      setText(label, text)
      label.style.left = `${(100 * minute) / (data.minutes - 1)}%`
    }
  }

  stop() {
    clearTimeout(this.timer)
    this.root.remove()
  }
}

/**
 * The clock's time in the site's time zone, also on the days on which the clock is changed.
 * @param {DaySliderData} data
 * @param {number} minute
 */
const timeOf = ({ from_at, time_zone }, minute) =>
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: time_zone }).format(
    from_at + minute * MINUTE,
  )
