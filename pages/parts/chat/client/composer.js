// @ts-check
// The field for answers.

import { make, setAttribute, setText } from "../../table/elements.js"
import { ReplyMenu } from "./reply_menu.js"
import { excessNote } from "./texts.js"

/** @import { ReplyJson } from "./chat_types.js" */
/** @import { ConversationPanel } from "./conversation_panel.js" */

/** What the field says: of a chat, and of a message that is answered by mail. */
const CHAT = {
  placeholder: "Write a message",
  label: "Message",
  button: "Send",
  hint: "Enter sends, Shift+Enter begins a new line",
}
const MAIL = {
  placeholder: "Write an answer by e-mail",
  label: "Answer by e-mail",
  button: "Send e-mail",
  hint: "Ctrl+Enter sends it, with what was left as a quotation",
}

export class Composer {
  /**
   * @param {HTMLElement} parent
   * @param {ConversationPanel} panel
   */
  constructor(parent, panel) {
    this.app = panel.app
    this.panel = panel
    this.key = ""
    this.template = ""
    /** @type {"send" | "mail"} */
    this.by = "send"
    this.typingSentAt = 0
    this.node = make("form", "composer", parent)
    this.field = make("textarea", "", this.node)
    this.field.rows = 1
    this.field.dir = "auto"
    const foot = make("div", "foot", this.node)
    this.replies = new ReplyMenu(foot, this)
    this.hint = make("span", "hint", foot)
    this.hint.id = "hint"
    this.hint.setAttribute("role", "status")
    this.field.setAttribute("aria-describedby", this.hint.id)
    this.button = make("button", "act primary send", foot)
    this.button.type = "submit"
    this.node.addEventListener("submit", (event) => this.submit(event))
    this.field.addEventListener("keydown", (event) => this.keydown(event))
    this.field.addEventListener("input", () => this.changed())
  }

  /** @param {string} key */
  open(key) {
    this.key = key
    this.template = ""
    this.field.value = this.app.outbox.draftOf(key)
    this.fit()
  }

  leave() {
    if (this.key) this.app.outbox.keepDraft(this.key, this.field.value)
  }

  /** @param {"send" | "mail" | ""} by how an answer goes; "": there can be none */
  show(by) {
    this.node.hidden = !by
    this.by = by || "send"
    const { placeholder, label, button } = this.words
    this.field.placeholder = placeholder
    setAttribute(this.field, "aria-label", label)
    setAttribute(this.field, "aria-keyshortcuts", this.by === "mail" ? "Control+Enter" : "Enter")
    setText(this.button, button)
    this.replies.show(this.app.replies[this.key.split(" ")[0]] ?? [])
    this.fit()
  }

  get words() {
    return this.by === "mail" ? MAIL : CHAT
  }

  focus() {
    this.field.focus({ preventScroll: true })
  }

  /**
   * While an input method composes, Enter only chooses a word. A mail has paragraphs, and cannot be taken back.
   * @param {KeyboardEvent} event
   */
  keydown(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return
    if (this.by === "mail" && !event.ctrlKey && !event.metaKey) return
    this.submit(event)
  }

  /** @param {Event} event */
  submit(event) {
    event.preventDefault()
    const { conversation } = this.panel
    const text = this.field.value.trim()
    if (!text || this.excess || !conversation) return
    this.field.value = ""
    this.app.outbox.keepDraft(this.key, "")
    this.app.outbox.send(conversation, text, this.template, this.by)
    this.template = ""
    this.fit()
    this.focus()
  }

  /** What to say of a text that is too long, else "". */
  get excess() {
    return excessNote(this.field.value, this.app.limits.longest_message)
  }

  changed() {
    this.app.outbox.keepDraft(this.key, this.field.value)
    if (!this.field.value) this.template = ""
    this.fit()
    this.sendTyping()
  }

  sendTyping() {
    const { conversation } = this.panel
    const now = Date.now()
    if (!this.field.value.trim() || !conversation || this.by === "mail") return
    if (now - this.typingSentAt < this.app.limits.typing_every) return
    this.typingSentAt = now
    this.app.api.post("typing", { site: conversation.site, id: conversation.id })
  }

  /**
   * Insert the reply at the cursor; the text in the field stays.
   * @param {ReplyJson} reply
   */
  insert({ id, text }) {
    const { selectionStart, selectionEnd, value } = this.field
    const before = value.slice(0, selectionStart)
    const gap = before && !/\s$/.test(before) ? " " : ""
    this.field.setRangeText(gap + text, selectionStart, selectionEnd, "end")
    this.template = id
    this.changed()
    this.focus()
  }

  fit() {
    this.field.style.height = "auto"
    if (this.field.scrollHeight) this.field.style.height = `${this.field.scrollHeight + 2}px`
    const { excess } = this
    setText(this.hint, excess || this.words.hint)
    this.hint.classList.toggle("over", Boolean(excess))
    this.button.disabled = Boolean(excess) || !this.field.value.trim()
  }
}
