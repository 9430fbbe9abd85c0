// What was said, in the order of the numbers. New lines are read out by screen readers, old ones not.

import { make, setText } from "../../parts/table/elements.js"
import { dayOf, timeOf } from "./texts.js"

export class MessageList {
  constructor(parent, app) {
    this.app = app
    this.key = ""
    this.items = new Map()
    this.box = make("div", "log-box", parent)
    this.steps = make("ol", "steps", this.box)
    this.steps.setAttribute("aria-label", "Invitation")
    this.list = make("ol", "log", this.box)
    this.list.setAttribute("role", "log")
    this.list.setAttribute("aria-label", "Messages")
    this.box.tabIndex = 0
    this.typing = make("p", "typing", this.box)
    this.down = make("button", "down", parent)
    this.down.type = "button"
    setText(this.down, "New messages")
    this.down.hidden = true
    this.down.addEventListener("click", () => this.toEnd())
    this.box.addEventListener("scroll", () => this.isAtEnd() && (this.down.hidden = true))
  }

  open(key) {
    this.key = key
    this.isLoaded = false
    this.items.clear()
    this.list.replaceChildren()
    this.list.setAttribute("aria-busy", "true")
    this.down.hidden = true
    this.isNew = true
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
    if (this.isLoaded) this.list.removeAttribute("aria-busy")
    if (this.isNew || wasAtEnd || own) this.toEnd()
    else if (this.items.size > before) this.down.hidden = false
    if (this.items.size) this.isNew = false
  }

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

  // Whether a message of one's own was added.
  place(conversation) {
    const messages = this.app.store.messagesOf(this.key) ?? []
    const unsent = this.app.outbox.unsentOf(this.key)
    const there = new Set(messages.map(({ client }) => client))
    const lines = [
      ...messages.map((message) => ({ ...message, node: message.client || `number ${message.n}` })),
      ...unsent.filter(({ n }) => !there.has(n)).map((message) => ({ ...message, node: message.n, isUnsent: true })),
    ]
    const kept = new Map()
    let next = this.list.firstChild
    let own = false
    lines.forEach((line, index) => {
      const item = this.items.get(line.node) ?? this.makeItem()
      if (!this.items.has(line.node) && line.isUnsent) own = true
      kept.set(line.node, item)
      if (item === next) next = next.nextSibling
      else this.list.insertBefore(item, next)
      this.showItem(item, line, lines[index - 1], conversation)
    })
    for (const [node, item] of this.items) if (!kept.has(node)) item.remove()
    this.items = kept
    this.markSeen(messages, conversation)
    return own
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

  showItem(item, line, before, conversation) {
    const [day, by, text, meta] = item.children
    const isMine = line.isUnsent || line.author === "agent"
    const who = this.nameOf(line, conversation)
    item.classList.toggle("mine", isMine)
    item.classList.toggle("unsent", Boolean(line.isUnsent))
    item.classList.toggle("refused", Boolean(line.error))
    const isNewDay = dayOf(line.at) !== dayOf(before?.at ?? this.app.store.now())
    setText(day, isNewDay ? dayOf(line.at) : "")
    setText(by, who)
    const isSame = Boolean(before) && !isNewDay && who === this.nameOf(before, conversation)
    by.classList.toggle("unseen", isSame)
    setText(text, line.text)
    setText(meta.children[0], timeOf(line.at))
    item.dataset.number = line.isUnsent ? "" : line.n
    this.showFate(item, meta.children[1], line)
  }

  nameOf({ author, agent_name, agent, isUnsent }, conversation) {
    if (!isUnsent && author !== "agent") return conversation.visitor
    return isUnsent || agent === this.app.store.agent?.id ? "You" : agent_name
  }

  // Sending, refused with what can be done about it, or nothing.
  showFate(item, fate, line) {
    const wanted = line.isUnsent ? line.error || "sending" : ""
    if (fate.dataset.shown === wanted) return
    fate.dataset.shown = wanted
    fate.replaceChildren()
    if (!line.isUnsent) return
    if (!line.error) return setText(fate, "Sending …")
    setText(make("span", "why", fate), `Not sent. ${line.error}`)
    for (const [word, act] of [["Try again", "retry"], ["Remove", "drop"]]) {
      const button = make("button", "link", fate)
      button.type = "button"
      setText(button, word)
      button.addEventListener("click", () => this.app.outbox[act](line.n))
    }
  }

  markSeen(messages, conversation) {
    const mine = messages.filter(({ author }) => author === "agent")
    const seen = mine.filter(({ n }) => n <= conversation.read).at(-1)
    for (const message of mine) {
      const fate = this.items.get(message.client || `number ${message.n}`)?.querySelector(".fate")
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
