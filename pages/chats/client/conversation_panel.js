// One conversation: what was said, and the field to answer in. Text is only ever text.

import { make, setText } from "../../parts/table/elements.js"
import { Composer } from "./composer.js"
import { MessageList } from "./message_list.js"
import { STATUS, timeOf } from "./texts.js"

export class ConversationPanel {
  constructor(parent, app, { canLeave }) {
    this.app = app
    this.canLeave = canLeave
    this.key = ""
    this.node = make("section", "panel", parent)
    this.makeHead()
    this.log = new MessageList(this.node, app)
    this.notice = make("p", "offline", this.node)
    this.notice.setAttribute("role", "status")
    this.composer = new Composer(this.node, this)
    this.closed = make("p", "closed", this.node)
    this.nothing = make("p", "nothing", this.node)
    this.node.addEventListener("keydown", (event) => this.keydown(event))
    this.node.addEventListener("focusin", () => this.tellRead())
  }

  makeHead() {
    this.head = make("header", "head", this.node)
    const who = make("div", "who", this.head)
    this.name = make("h2", "", who)
    this.about = make("p", "about", who)
    this.acts = make("div", "acts", this.head)
    this.end = this.makeAct("End", "", () => this.ask(true))
    this.take = this.makeAct("Take over", "primary", () => this.act("take"))
    this.sure = make("div", "sure", this.head)
    this.question = make("span", "", this.sure)
    this.yes = this.makeAct("End chat", "danger", () => this.act("end"), this.sure)
    this.no = this.makeAct("Keep", "", () => this.ask(false), this.sure)
    this.fault = make("p", "fault", this.node)
    this.fault.setAttribute("role", "alert")
    this.sure.hidden = true
  }

  makeAct(word, className, act, parent = this.acts) {
    const button = make("button", `act ${className}`.trim(), parent)
    button.type = "button"
    setText(button, word)
    button.addEventListener("click", act)
    return button
  }

  get conversation() {
    return this.app.store.conversations.get(this.key)
  }

  // ---- which one

  open(key) {
    if (key === this.key) return
    this.composer.leave()
    this.key = key
    this.told = 0
    this.isUnknown = false
    this.ask(false)
    setText(this.fault, "")
    this.log.open(key)
    this.composer.open(key)
    this.load()
    this.show()
  }

  // The messages so far; the stream tells the others.
  async load() {
    const { key } = this
    if (!key) return
    const [site, id] = key.split(" ")
    this.app.store.keepAll(key, [])
    const query = new URLSearchParams({ site, id })
    const said = await this.app.api.get(`conversation?${query}`)
    if (said?.conversation) this.app.store.take({ conversations: [said.conversation], messages: said.messages }, true)
    if (said?.unknown && key === this.key) this.isUnknown = true
    if (!said && key === this.key) this.again = setTimeout(() => key === this.key && this.load(), 3_000)
    if (said) this.log.isLoaded = this.log.isLoaded || key === this.key
    this.show()
  }

  // ---- drawing

  show() {
    const { conversation } = this
    const { store } = this.app
    const isOpen = conversation?.phase === "open"
    const isInvited = conversation?.phase === "invited"
    const isMine = Boolean(conversation) && store.isForMe(conversation)
    this.head.hidden = !conversation
    setText(this.nothing, conversation ? "" : this.wordsOfNothing())
    if (conversation) {
      this.node.setAttribute("aria-label", `Conversation with ${conversation.visitor}`)
      setText(this.name, conversation.visitor)
      setText(this.about, this.aboutOf(conversation))
      setText(this.end, isInvited ? "Withdraw" : "End")
      setText(this.yes, isInvited ? "Withdraw" : "End chat")
      setText(this.question, isInvited ? "Withdraw the invitation?" : "End this chat?")
    }
    if (!isOpen && !isInvited) this.ask(false)
    this.end.hidden = !(isOpen || isInvited) || !isMine
    this.take.hidden = !isOpen || isMine
    this.log.show()
    this.composer.show(isOpen && isMine)
    setText(this.closed, this.wordsOfClosed(conversation, isOpen, isInvited, isMine))
    const isWaiting = Boolean(conversation) && store.status !== "live"
    setText(this.notice, isWaiting ? (STATUS[store.status] ?? "") : "")
    this.tellRead()
  }

  aboutOf(conversation) {
    const { site_name, path, agent, agent_name } = conversation
    const whose = agent && !this.app.store.isMine(conversation) ? `with ${agent_name}` : ""
    return [site_name, path, whose].filter(Boolean).join(" · ")
  }

  wordsOfNothing() {
    if (this.isUnknown) return "This conversation does not exist. Old ones are deleted: see MONITOR_CHAT_RETENTION_DAYS."
    if (this.key) return "Loading …"
    return this.app.store.conversations.size ? "Choose a chat to read and answer it." : ""
  }

  wordsOfClosed(conversation, isOpen, isInvited, isMine) {
    if (!conversation) return ""
    if (isInvited) return "You can write as soon as the visitor accepts."
    if (isOpen) return isMine ? "" : `${conversation.agent_name} talks with this visitor. Take over to answer.`
    if (conversation.phase === "left") return conversation.end_text
    const at = conversation.closed_at ? `, ${timeOf(conversation.closed_at)}` : ""
    return `${conversation.end_text}${at}.`
  }

  tick() {
    this.log.showTyping()
  }

  // ---- acting

  ask(isAsking) {
    const was = !this.sure.hidden
    this.sure.hidden = !isAsking
    this.acts.hidden = isAsking
    if (isAsking) this.no.focus()
    else if (was && this.sure.contains(this.node.getRootNode().activeElement)) this.end.focus()
  }

  async act(name) {
    const { conversation } = this
    if (!conversation) return
    this.ask(false)
    const { site, id } = conversation
    const { isDone, error } = await this.app.api.post(name, { site, id })
    setText(this.fault, isDone ? "" : error || "The dashboard does not answer. Try again in a moment.")
    if (isDone && name === "take") this.composer.focus()
    if (isDone && name === "end") this.leave()
  }

  // What is in view has been read, but only by the one who answers.
  tellRead() {
    const { conversation } = this
    if (!conversation?.unread || !this.app.store.isForMe(conversation)) return
    if (document.hidden || !document.hasFocus() || !this.log.isInView() || conversation.phase === "invited") return
    const to = this.log.newest()
    if (!to || to === this.told) return
    this.told = to
    this.app.api.post("read", { site: conversation.site, id: conversation.id, to }).then(({ isDone }) => {
      if (!isDone) this.told = 0
    })
  }

  keydown(event) {
    if (event.key !== "Escape" || event.isComposing) return
    if (!this.sure.hidden) this.ask(false)
    else if (this.canLeave) this.leave()
  }

  // The focus goes where there is something to do.
  leave() {
    if (this.canLeave) this.app.list.focus()
    else this.log.box.focus()
  }

  stop() {
    clearTimeout(this.again)
    this.composer.leave()
  }
}
