// @ts-check
// The messages in the order of their numbers. Screen readers read out new lines, not old ones.

import { withLinks } from "../../../../embed/chat/text.js"
import { childrenOf, make, setText } from "../../table/elements.js"
import { showFate, showMailFate } from "./message_fate.js"
import { dayOf, timeOf } from "./texts.js"

/** @import { ConversationJson, MessageJson, PanelApp, UnsentMessage } from "./chat_types.js" */

/**
 * @typedef {object} ShownMessage
 * @property {string} key of its element, the same before and after it is stored
 * @property {string} number "" while it is being sent
 * @property {string} by the name above it
 * @property {string} text
 * @property {number} at
 * @property {boolean} isMine from an agent
 * @property {boolean} [isNote] of an agent for agents
 * @property {UnsentMessage} [unsent]
 * @property {MessageJson} [mailed] which goes by mail
 */

const YOU = "You"

/**
 * The lines with the notes where they belong by their time.
 * @param {ShownMessage[]} lines
 * @param {ShownMessage[]} notes
 */
const withNotes = (lines, notes) => {
  const all = [...lines]
  for (const note of notes) {
    const next = all.findIndex((line) => !line.isNote && line.at > note.at)
    all.splice(next < 0 ? all.length : next, 0, note)
  }
  return all
}

/** @param {MessageJson} message */
const keyOfMessage = ({ client, n }) => client || `number ${n}`

export class MessageList {
  /**
   * @param {HTMLElement} parent
   * @param {PanelApp} app
   * @param {(number: number) => void} mailAgain
   */
  constructor(parent, app, mailAgain) {
    this.app = app
    this.mailAgain = mailAgain
    this.key = ""
    this.isLoaded = false // whether its messages so far are loaded
    this.isNew = true // whether it was just opened: then it is scrolled to its end
    this.staysAtEnd = true // until the agent scrolls up
    this.shownSteps = ""
    /** @type {Map<string, HTMLElement>} */
    this.items = new Map()
    this.box = make("div", "log-box", parent)
    this.steps = make("ol", "steps", this.box)
    this.steps.setAttribute("aria-label", "Invitation")
    this.log = make("div", "", this.box)
    this.log.setAttribute("role", "log")
    this.log.setAttribute("aria-label", "Messages")
    this.list = make("ol", "log", this.log)
    this.list.setAttribute("role", "list")
    this.box.tabIndex = 0
    this.typing = make("p", "typing", this.box)
    this.down = make("button", "down", parent)
    this.down.type = "button"
    setText(this.down, "New messages")
    this.down.hidden = true
    this.down.addEventListener("click", () => this.toEnd())
    this.box.addEventListener("scroll", () => this.scrolled())
    // The field below grows, or comes with what can be answered, and takes the room.
    new ResizeObserver(() => this.staysAtEnd && this.toEnd()).observe(this.box)
  }

  /** @param {string} key */
  open(key) {
    this.key = key
    this.isLoaded = false
    this.items.clear()
    this.list.replaceChildren()
    this.log.setAttribute("aria-busy", "true")
    this.down.hidden = true
    this.isNew = this.staysAtEnd = true
  }

  get conversation() {
    return this.app.store.conversations.get(this.key)
  }

  show() {
    const { conversation } = this
    this.box.hidden = !conversation
    if (!conversation) return
    const wasAtEnd = this.isAtEnd()
    this.showSteps(conversation)
    const before = this.items.size
    const own = this.place(conversation)
    this.showTyping()
    if (this.isLoaded) this.log.removeAttribute("aria-busy")
    if (this.isNew || wasAtEnd || own) this.toEnd()
    else if (this.items.size > before) this.down.hidden = false
    if (this.items.size) this.isNew = false
  }

  /** @param {ConversationJson} conversation */
  showSteps(conversation) {
    const { steps } = conversation
    const wanted = JSON.stringify(steps)
    if (wanted === this.shownSteps) return
    this.shownSteps = wanted
    this.steps.replaceChildren()
    for (const [word, moment] of steps) {
      const step = make("li", "step", this.steps)
      setText(step, `${word} ${timeOf(moment)}`)
    }
  }

  /**
   * Draw the messages; returns whether an own one was added.
   * @param {ConversationJson} conversation
   */
  place(conversation) {
    const messages = this.app.store.messagesOf(this.key) ?? []
    const lines = this.linesOf(messages, conversation)
    /** @type {Map<string, HTMLElement>} */
    const kept = new Map()
    /** @type {ChildNode | null} */
    let next = this.list.firstChild
    let own = false
    lines.forEach((line, index) => {
      const item = this.items.get(line.key) ?? this.makeItem()
      if (!this.items.has(line.key) && line.unsent) own = true
      kept.set(line.key, item)
      if (item === next) next = item.nextSibling
      else this.list.insertBefore(item, next)
      this.showItem(item, line, lines[index - 1])
    })
    for (const [key, item] of this.items) if (!kept.has(key)) item.remove()
    this.items = kept
    this.markSeen(messages, conversation)
    return own
  }

  /**
   * The stored messages, then those that are being sent.
   * @param {MessageJson[]} messages
   * @param {ConversationJson} conversation
   * @returns {ShownMessage[]}
   */
  linesOf(messages, conversation) {
    const stored = new Set(messages.map(({ client }) => client))
    const unsent = this.app.outbox.unsentOf(this.key).filter(({ n }) => !stored.has(n))
    const said = messages.map((message) => ({
      key: keyOfMessage(message),
      number: String(message.n),
      by: this.nameOf(message, conversation),
      text: message.text,
      at: message.at,
      isMine: message.author === "agent",
      mailed: message.mail ? message : undefined,
    }))
    const sending = unsent.map((message) => ({
      key: message.n,
      number: "",
      by: YOU,
      text: message.text,
      at: message.at,
      isMine: true,
      unsent: message,
    }))
    return [...withNotes(said, this.notes()), ...sending]
  }

  /** @returns {ShownMessage[]} */
  notes() {
    const { agent, notes } = this.app.store
    return (notes.get(this.key) ?? []).map((note) => ({
      key: `note ${note.n}`,
      number: "",
      by: note.agent === agent?.id ? "Your note" : `Note by ${note.agent_name || "an agent"}`,
      text: note.text,
      at: note.at,
      isMine: false,
      isNote: true,
    }))
  }

  /**
   * @param {MessageJson} message
   * @param {ConversationJson} conversation
   */
  nameOf({ author, agent, agent_name }, conversation) {
    if (author !== "agent") return conversation.visitor
    return agent === this.app.store.agent?.id ? YOU : agent_name
  }

  makeItem() {
    const item = make("li", "message")
    make("p", "day", item)
    make("p", "by", item)
    make("p", "text", item).dir = "auto"
    const meta = make("p", "meta", item)
    make("span", "time", meta)
    make("span", "fate", meta)
    return item
  }

  /**
   * @param {HTMLElement} item
   * @param {ShownMessage} line
   * @param {ShownMessage | undefined} before
   */
  showItem(item, line, before) {
    const [day, by, text, meta] = childrenOf(item)
    const [time, fate] = childrenOf(meta)
    item.classList.toggle("mine", line.isMine)
    item.classList.toggle("note", Boolean(line.isNote))
    item.classList.toggle("unsent", Boolean(line.unsent))
    item.classList.toggle("refused", Boolean(line.unsent?.error) || line.mailed?.mail?.state === "not_sent")
    const isNewDay = dayOf(line.at) !== dayOf(before?.at ?? this.app.store.now())
    setText(day, isNewDay ? dayOf(line.at) : "")
    setText(by, line.by)
    by.classList.toggle("unseen", !isNewDay && line.by === before?.by)
    if (text.textContent !== line.text) text.replaceChildren(...withLinks(line.text))
    setText(time, timeOf(line.at))
    item.dataset.number = line.number
    if (line.mailed?.mail) showMailFate(fate, line.mailed.n, line.mailed.mail, this.mailAgain)
    else showFate(fate, line.unsent, this.app.outbox)
  }

  /**
   * @param {MessageJson[]} messages
   * @param {ConversationJson} conversation
   */
  markSeen(messages, conversation) {
    const mine = messages.filter(({ author }) => author === "agent")
    const seen = mine.filter(({ n }) => n <= conversation.read).at(-1)
    for (const message of mine) {
      /** @type {HTMLElement | null | undefined} */
      const fate = this.items.get(keyOfMessage(message))?.querySelector(".fate")
      if (fate && !fate.dataset.shown) setText(fate, message === seen ? "Seen" : "")
    }
  }

  showTyping() {
    const { conversation } = this
    if (!conversation) return
    const wasAtEnd = this.isAtEnd()
    const isTyping = this.app.store.isTyping(conversation)
    setText(this.typing, isTyping ? `${conversation.visitor} is typing …` : "")
    if (isTyping && wasAtEnd) this.toEnd()
  }

  newest() {
    return Math.max(0, ...(this.app.store.messagesOf(this.key) ?? []).map(({ n }) => n))
  }

  scrolled() {
    this.staysAtEnd = this.isAtEnd()
    if (this.staysAtEnd) this.down.hidden = true
  }

  isAtEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40
  }

  isInView() {
    const { top, bottom, height } = this.box.getBoundingClientRect()
    return height > 0 && bottom > 0 && top < innerHeight
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight
    this.down.hidden = true
  }
}
