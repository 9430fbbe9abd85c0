// @ts-check
// The dialog that lists the keys, and in which they are switched off.

import { make, setText } from "./elements.js"

/** @import { TableKeys } from "./keys.js" */

export class KeyList {
  /**
   * @param {HTMLElement} root
   * @param {TableKeys} keys
   * @param {Record<string, string>} meanings
   */
  constructor(root, keys, meanings) {
    this.keys = keys
    this.dialog = make("dialog", "keys", root)
    this.dialog.setAttribute("aria-labelledby", "keys-title")
    const title = make("h2", "", this.dialog)
    title.id = "keys-title"
    setText(title, "Keys")
    this.drawKeys(meanings)
    this.box = this.drawSwitch()
    const close = make("button", "plain", this.dialog)
    close.type = "button"
    setText(close, "Close")
    close.addEventListener("click", () => this.dialog.close())
  }

  /** @param {Record<string, string>} meanings */
  drawKeys(meanings) {
    const list = make("dl", "", this.dialog)
    for (const [key, meaning] of Object.entries(meanings)) {
      const pair = make("div", "", list)
      setText(make("kbd", "", make("dt", "", pair)), key)
      setText(make("dd", "", pair), meaning)
    }
  }

  drawSwitch() {
    const label = make("label", "", this.dialog)
    const box = make("input", "", label)
    box.type = "checkbox"
    setText(make("span", "", label), "Use these keys")
    box.addEventListener("change", () => {
      this.keys.areOn = box.checked
    })
    return box
  }

  /** The browser gives the focus back when it closes. */
  open() {
    this.box.checked = this.keys.areOn
    this.dialog.showModal()
  }
}
