// @ts-check
// The field for a note, which only agents read. It is apart from the field for answers, so that none is
// sent to the visitor.

import { make, setText } from "../../table/elements.js"
import { newId } from "./random_id.js"
import { excessNote } from "./texts.js"

/** @import { ConversationPanel } from "./conversation_panel.js" */

const ONLY_AGENTS = "Only agents see it"

export class NoteField {
  /**
   * @param {HTMLElement} parent
   * @param {ConversationPanel} panel
   */
  constructor(parent, panel) {
    this.panel = panel
    this.n = "" // the id of the note that is being written: sent twice, it counts once
    this.node = make("form", "composer note-field", parent)
    this.field = make("textarea", "", this.node)
    this.field.rows = 2
    this.field.dir = "auto"
    this.field.placeholder = "Write a note"
    this.field.setAttribute("aria-label", "Note")
    const foot = make("div", "foot", this.node)
    this.hint = make("span", "hint", foot)
    this.hint.setAttribute("role", "status")
    this.cancel = make("button", "act quiet", foot)
    this.cancel.type = "button"
    setText(this.cancel, "Cancel")
    this.button = make("button", "act send", foot)
    this.button.type = "submit"
    setText(this.button, "Save note")
    this.cancel.addEventListener("click", () => this.close())
    this.node.addEventListener("submit", (event) => this.submit(event))
    this.field.addEventListener("input", () => this.fit())
    this.node.addEventListener("keydown", (event) => this.keydown(event))
    this.close()
  }

  open() {
    const { messages } = this.panel
    const wasAtEnd = messages.isAtEnd()
    this.n = newId()
    this.node.hidden = false
    if (wasAtEnd) messages.toEnd()
    this.fit()
    this.field.focus()
  }

  close() {
    this.node.hidden = true
    this.field.value = ""
  }

  /** @param {KeyboardEvent} event */
  keydown(event) {
    if (event.isComposing || event.keyCode === 229) return
    if (event.key === "Enter" && event.target === this.field && !event.shiftKey) this.submit(event)
    if (event.key !== "Escape") return
    event.stopPropagation()
    this.close()
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault()
    const { key } = this.panel
    const text = this.field.value.trim()
    if (!text || this.excess || this.button.disabled) return
    this.button.disabled = true
    const isDone = await this.panel.act("note", { n: this.n, text })
    this.fit()
    if (isDone && key === this.panel.key) this.close()
  }

  get excess() {
    return excessNote(this.field.value, this.panel.app.limits.longest_message)
  }

  fit() {
    const { excess } = this
    setText(this.hint, excess || ONLY_AGENTS)
    this.hint.classList.toggle("over", Boolean(excess))
    this.button.disabled = Boolean(excess) || !this.field.value.trim()
  }
}
