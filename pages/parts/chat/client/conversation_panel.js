// @ts-check
// One conversation: its messages, and the field for answers. Text is never read as HTML.

import { make, setText } from "../../table/elements.js"
import { Composer } from "./composer.js"
import { ConversationHead } from "./conversation_head.js"
import { MessageList } from "./message_list.js"
import { NoteField } from "./note_field.js"
import { STATUS, timeOf } from "./texts.js"

/** @import { ConversationJson, PanelApp } from "./chat_types.js" */
/** @import { ConversationList } from "./conversation_list.js" */

const LOAD_AGAIN = 3_000
const NO_ADDRESS = "No e-mail address is known."
const UNKNOWN = "This chat is not known, or it is deleted by now."

export class ConversationPanel {
  /**
   * @param {HTMLElement} parent
   * @param {PanelApp} app
   * @param {ConversationList} [list] where the focus goes when the agent leaves the conversation
   */
  constructor(parent, app, list) {
    this.app = app
    this.list = list
    this.key = ""
    this.readUpTo = 0 // the newest message that the server has as read
    this.noteCount = 0 // how many notes it had when they were read last
    this.isUnknown = false
    this.wantsField = false // the cursor goes into the field for answers as soon as it is there
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    this.node = make("section", "panel", parent)
    this.head = new ConversationHead(this.node, app, (action, more) => this.act(action, more), () => this.note.open())
    this.fault = make("p", "fault", this.node)
    this.fault.setAttribute("role", "alert")
    this.messages = new MessageList(this.node, app, (number) => this.act("mail-again", { number }))
    this.notice = make("p", "offline", this.node)
    this.notice.setAttribute("role", "status")
    this.note = new NoteField(this.node, this)
    this.composer = new Composer(this.node, this)
    this.closed = make("p", "closed", this.node)
    this.nothing = make("p", "nothing", this.node)
    this.node.addEventListener("keydown", (event) => this.keydown(event))
    this.node.addEventListener("focusin", () => this.sendRead())
  }

  get conversation() {
    return this.app.store.conversations.get(this.key)
  }

  // ---- which conversation

  /** @param {string} key */
  open(key) {
    if (key === this.key) return
    this.composer.leave()
    this.key = key
    this.readUpTo = 0
    this.isUnknown = false
    this.head.ask(null)
    this.note.close()
    setText(this.fault, "")
    this.messages.open(key)
    this.composer.open(key)
    this.load()
    this.show()
  }

  /** Read the messages so far; the stream brings later ones. */
  async load() {
    const { key } = this
    if (!key) return
    const [site, id] = key.split(" ")
    this.app.store.startMessages(key)
    const answer = await this.app.api.conversation(site, id)
    if (answer?.conversation) {
      const { conversation, messages, notes } = answer
      if (notes) this.app.store.notes.set(key, notes)
      if (key === this.key) this.noteCount = conversation.note_count
      this.app.store.take({ conversations: [conversation], messages }, true)
    }
    if (key === this.key) this.loaded(answer)
    this.show()
  }

  /** @param {{ unknown?: boolean } | undefined} answer */
  loaded(answer) {
    const { key } = this
    if (answer?.unknown) this.isUnknown = true
    if (answer) this.messages.isLoaded = true
    else this.timer = setTimeout(() => key === this.key && this.load(), LOAD_AGAIN)
  }

  // ---- drawing

  show() {
    const { conversation } = this
    const { store } = this.app
    this.head.show(conversation)
    if (conversation) this.node.setAttribute("aria-label", `Conversation with ${conversation.visitor}`)
    setText(this.nothing, conversation ? "" : this.textWithoutConversation())
    this.messages.show()
    this.composer.show(conversation ? this.wayToAnswer(conversation) : "")
    setText(this.closed, conversation ? this.textInPlaceOfField(conversation) : "")
    setText(this.notice, conversation ? (STATUS[store.status] ?? "") : "")
    this.sendRead()
    this.readNotes()
    this.enterField()
  }

  /**
   * How an answer goes: in the chat, by mail, or not at all.
   * @param {ConversationJson} conversation
   */
  wayToAnswer(conversation) {
    if (conversation.phase === "left") return conversation.mails ? "mail" : ""
    return conversation.phase === "open" && this.app.store.isForMe(conversation) ? "send" : ""
  }

  /** The stream says how many notes there are: they are read where somebody looks at them. */
  readNotes() {
    const { conversation } = this
    if (!conversation || !this.messages.isLoaded || conversation.note_count === this.noteCount) return
    this.noteCount = conversation.note_count
    this.load()
  }

  /** Whoever opens a conversation wants to answer, unless they have begun to write elsewhere meanwhile. */
  enterField() {
    if (!this.wantsField || !this.messages.isLoaded) return
    this.wantsField = false
    const isWriting = document.activeElement?.matches("input, textarea, select, [contenteditable]")
    if (!isWriting && !this.composer.node.hidden) this.composer.focus()
  }

  textWithoutConversation() {
    if (this.isUnknown) return UNKNOWN
    if (this.key) return "Loading …"
    return this.app.store.conversations.size ? "Choose a chat to read and answer it." : ""
  }

  /** @param {ConversationJson} conversation */
  textInPlaceOfField(conversation) {
    const { phase, agent_name, end_text, closed_at, done_at, done_by, mailto } = conversation
    if (phase === "invited") return "You can write as soon as the visitor accepts."
    if (phase === "left" && done_at) return `Done by ${done_by || "nobody"}, ${timeOf(done_at)}.`
    if (phase === "left") return mailto ? end_text : `${end_text} ${NO_ADDRESS}`
    if (phase === "over") return `${end_text}${closed_at ? `, ${timeOf(closed_at)}` : ""}.`
    if (this.app.store.isForMe(conversation)) return ""
    return `${agent_name} talks with this visitor. Take over to answer.`
  }

  tick() {
    this.messages.showTyping()
  }

  // ---- acting

  /**
   * Whether it was done; else the agent reads why not.
   * @param {"take" | "end" | "give" | "block" | "done" | "note" | "mail-again"} action
   * @param {object} [more]
   */
  async act(action, more = {}) {
    const { conversation } = this
    if (!conversation) return false
    this.head.ask(null)
    const { site, id } = conversation
    const { isDone, error } = await this.app.api.post(action, { site, id, ...more })
    setText(this.fault, isDone ? "" : error || "The dashboard does not answer. Try again in a moment.")
    if (isDone && action === "take") this.composer.focus()
    if (isDone && (action === "end" || action === "give" || action === "block")) this.leave()
    return isDone
  }

  /** Report what is in view as read, but only for the agent who answers. */
  async sendRead() {
    const { conversation } = this
    if (!conversation?.unread || !this.app.store.isForMe(conversation)) return
    if (conversation.phase === "invited" || !this.isRead()) return
    const to = this.messages.newest()
    if (!to || to === this.readUpTo) return
    this.readUpTo = to
    const { isDone } = await this.app.api.post("read", { site: conversation.site, id: conversation.id, to })
    if (!isDone) this.readUpTo = 0
  }

  isRead() {
    return !document.hidden && document.hasFocus() && this.messages.isInView()
  }

  /** @param {KeyboardEvent} event */
  keydown(event) {
    if (event.key !== "Escape" || event.isComposing) return
    if (this.head.isAsking) this.head.ask(null)
    else if (this.list) this.leave()
  }

  /** The focus goes where there is something to do. */
  leave() {
    if (this.list) this.list.focus()
    else this.messages.box.focus()
  }

  stop() {
    clearTimeout(this.timer)
    this.composer.leave()
  }
}
