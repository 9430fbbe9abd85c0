// What this tab knows of the chats. Everything on the page draws from here, and only the stream, the
// other tabs and the answers to what was posted write to it: in whatever order and however often.

export const keyOf = (conversation) => `${conversation.site} ${conversation.id}`

export class ChatStore {
  constructor(limits) {
    this.limits = limits
    this.agent = null
    this.status = "off"
    this.conversations = new Map()
    this.messages = new Map()
    this.revision = 0
    this.isRead = false // whether what is open has been read
    this.skew = 0
    this.listeners = new Set()
  }

  // Called with what has happened: {kind: "news" | "status" | "agent" | "whole" | "unsent", ...}.
  listen(listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  tell(what) {
    for (const listener of [...this.listeners]) listener(what)
  }

  // The server's clock, in milliseconds.
  now() {
    return Date.now() + this.skew
  }

  setStatus(status) {
    if (status === this.status) return
    this.status = status
    this.tell({ kind: "status" })
  }

  setAgent(agent) {
    const is = this.agent
    if (is?.id === agent?.id && is?.name === agent?.name) return
    this.agent = agent
    this.tell({ kind: "agent" })
  }

  // `isOld`: of the time before this page was opened; nobody is alerted.
  take({ id, now, whole, conversations = [], messages = [] }, isOld = false) {
    if (now) this.skew = now - Date.now()
    if (whole) this.forgetOthers(conversations)
    const moved = conversations.filter((conversation) => this.keep(conversation))
    const spoken = messages.filter((message) => this.keepMessage(message))
    if (id > this.revision) this.revision = id
    if (whole) this.isRead = true
    this.tell({ kind: "news", moved, spoken, isOld })
    if (whole) this.tell({ kind: "whole" })
  }

  // Whether its state is another one than before.
  keep(conversation) {
    const before = this.conversations.get(keyOf(conversation))
    if (before && before.revision > conversation.revision) return false
    conversation.typing_until = conversation.typing ? Date.now() + this.limits.typing_for : 0
    this.conversations.set(keyOf(conversation), conversation)
    return before?.state !== conversation.state
  }

  // Whether it is new, and of a visitor. Messages of conversations that nobody opened are not kept.
  keepMessage(message) {
    const key = `${message.site} ${message.id}`
    const known = this.messages.get(key)
    const isNew = !known?.has(message.n)
    known?.set(message.n, message)
    return isNew && message.author === "visitor"
  }

  // After a long absence the server tells what is open, not what has happened meanwhile.
  forgetOthers(conversations) {
    const kept = new Set(conversations.map(keyOf))
    for (const [key, { phase }] of this.conversations) {
      if (!kept.has(key) && (phase === "open" || phase === "invited")) this.conversations.delete(key)
    }
  }

  // Messages in their order; undefined when they were never read.
  messagesOf(key) {
    const known = this.messages.get(key)
    return known && [...known.values()].sort((one, other) => one.n - other.n)
  }

  keepAll(key, messages) {
    if (!this.messages.has(key)) this.messages.set(key, new Map())
    for (const message of messages) this.messages.get(key).set(message.n, message)
  }

  isTyping(conversation) {
    return conversation.typing_until > Date.now()
  }

  isMine(conversation) {
    return Boolean(this.agent) && conversation.agent === this.agent.id
  }

  // Mine to answer; without a list every agent may.
  isForMe(conversation) {
    const { answerers } = conversation
    return answerers === null || (Boolean(this.agent) && answerers.includes(this.agent.id))
  }

  // Whether there is something in it that I should read: what is over waits for nobody.
  waitsForMe(conversation) {
    const { phase, unread } = conversation
    return unread > 0 && (phase === "open" || phase === "left") && this.isForMe(conversation)
  }

  // How many conversations wait for me.
  waiting() {
    return [...this.conversations.values()].filter((each) => this.waitsForMe(each)).length
  }

  snapshot() {
    return {
      id: this.revision,
      now: this.now(),
      whole: true,
      conversations: [...this.conversations.values()],
      messages: [],
    }
  }
}
