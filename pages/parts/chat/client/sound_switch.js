// @ts-check
// The button that switches the sound.

import { make, setText } from "../../table/elements.js"

/** @import { Sound } from "./sound.js" */

export class SoundSwitch {
  /**
   * @param {HTMLElement} parent
   * @param {Sound} sound
   */
  constructor(parent, sound) {
    this.sound = sound
    this.button = make("button", "act quiet sound", parent)
    this.button.type = "button"
    this.button.addEventListener("click", () => {
      sound.isOn = !sound.isOn
    })
    sound.listeners.add(() => this.show())
    this.show()
  }

  show() {
    const { isOn } = this.sound
    setText(this.button, isOn ? "Sound on" : "Sound off")
    this.button.setAttribute("aria-pressed", String(isOn))
    this.button.title = "A sound for a new message and an accepted invitation"
  }
}
