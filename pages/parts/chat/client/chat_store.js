// @ts-check
// What this tab knows of the chats. Everything on the page draws from here. Only the stream, the other
// tabs and the answers to posts write to it, in any order and any number of times.

/** @import { ConnectionStatus, ConversationJson, LimitsJson, MessageJson, NewsJson, NoteJson, StoreEvent } from "./chat_types.js" */

/** @param {{ site: string, id: string }} conversation */
export const keyOf = (conversation) => `${conversation.site} ${conversation.id}`

export class ChatStore {
  /** @param {LimitsJson} limits */
  constructor(limits) {
    this.limits = limits
    /** @type {{ id: number, name: string } | null} */
    this.agent = null
    /** @type {ConnectionStatus} */
    this.status = "off"
    /** @type {Map<string, ConversationJson>} */
    this.conversations = new Map()
    /** @type {Map<string, Map<number, MessageJson>>} The messages of each conversation, by their numbers. */
    this.messages = new Map()
    /** @type {Map<string, number>} The newest message of each conversation that was ever here. */
    this.heard = new Map()
    /** @type {Map<string, NoteJson[]>} The notes of each conversation whose messages are here. */
    this.notes = new Map()
    this.revision = 0
    this.isRead = false // whether the open conversations have been read
    this.skew = 0
    /** @type {Set<(event: StoreEvent) => void>} */
    this.listeners = new Set()
  }

  /**
   * Calls the listener with each event; returns a function that ends this.
   * @param {(event: StoreEvent) => void} listener
   */
  subscribe(listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** @param {StoreEvent} event */
  emit(event) {
    for (const listener of [...this.listeners]) listener(event)
  }

  /** The server's clock, in milliseconds. */
  now() {
    return Date.now() + this.skew
  }

  /** @param {ConnectionStatus} status */
  setStatus(status) {
    if (status === this.status) return
    this.status = status
    this.emit({ kind: "status" })
  }

  /** @param {{ id: number, name: string }} agent */
  setAgent(agent) {
    if (this.agent?.id === agent.id && this.agent.name === agent.name) return
    this.agent = agent
    this.emit({ kind: "agent" })
  }

  /**
   * `isOld`: from before this page was opened; there is no alert.
   * @param {Partial<NewsJson>} news
   * @param {boolean} [isOld]
   */
  take({ id = 0, now, whole, conversations = [], messages = [] }, isOld = false) {
    if (now) this.skew = now - Date.now()
    if (whole) this.forgetOthers(conversations)
    const offered = conversations.filter((conversation) => this.isOffered(conversation))
    const moved = conversations.flatMap((conversation) => this.keep(conversation) ?? [])
    const spoken = messages.filter((message) => this.keepMessage(message))
    if (id > this.revision) this.revision = id
    if (whole) this.isRead = true
    this.emit({ kind: "news", moved, offered, spoken, isOld })
    if (whole) this.emit({ kind: "whole" })
  }

  /**
   * The conversation as it is stored, if its state has changed.
   * @param {ConversationJson} conversation
   */
  keep(conversation) {
    const before = this.conversations.get(keyOf(conversation))
    if (before && before.revision > conversation.revision) return undefined
    this.conversations.set(keyOf(conversation), conversation)
    return before?.state === conversation.state ? undefined : conversation
  }

  /**
   * Whether it has just become anybody's, or was given to me: somebody else had it until now.
   * @param {ConversationJson} conversation
   */
  isOffered(conversation) {
    const before = this.conversations.get(keyOf(conversation))
    if (!before || before.revision >= conversation.revision || !this.isForMe(conversation)) return false
    const { vacated_at, given_at } = conversation
    return Boolean((vacated_at && !before.vacated_at) || (given_at && given_at !== before.given_at))
  }

  /**
   * Whether it is new and of a visitor. Messages of conversations that were not opened are not kept. A stream
   * that begins anew may bring again what was here.
   * @param {MessageJson} message
   */
  keepMessage(message) {
    const key = `${message.site} ${message.id}`
    const known = this.messages.get(key)
    const heard = this.heard.get(key) ?? 0
    const isNew = message.n > heard
    this.heard.set(key, Math.max(heard, message.n))
    known?.set(message.n, message)
    return isNew && message.author === "visitor"
  }

  /**
   * After a long absence the server sends what is open, not all changes since.
   * @param {ConversationJson[]} conversations
   */
  forgetOthers(conversations) {
    const kept = new Set(conversations.map(keyOf))
    for (const [key, { phase }] of this.conversations) {
      if (!kept.has(key) && phase !== "over") this.conversations.delete(key)
    }
  }

  /**
   * The messages in their order; undefined when they were never read.
   * @param {string} key
   */
  messagesOf(key) {
    const known = this.messages.get(key)
    return known && [...known.values()].sort((one, other) => one.n - other.n)
  }

  /**
   * Keep this conversation's messages from now on.
   * @param {string} key
   */
  startMessages(key) {
    if (!this.messages.has(key)) this.messages.set(key, new Map())
  }

  /** @param {ConversationJson} conversation */
  isTyping(conversation) {
    return (conversation.typing_until ?? 0) > this.now()
  }

  /** @param {ConversationJson} conversation */
  isMine(conversation) {
    return this.agent !== null && conversation.agent === this.agent.id
  }

  /**
   * Whether I may answer it; without a list every agent may.
   * @param {ConversationJson} conversation
   */
  isForMe(conversation) {
    const { answerers } = conversation
    return answerers === null || (this.agent !== null && answerers.includes(this.agent.id))
  }

  /**
   * Whether it has something for me to do: a question without an answer, a visitor whom a colleague has left
   * alone or has given to me, or a message that was left and is not ticked off.
   * @param {ConversationJson} conversation
   */
  waitsForMe(conversation) {
    const { phase, waiting_since, vacated_at, given_at, done_at } = conversation
    if (phase === "left") return !done_at
    return phase === "open" && Boolean(waiting_since || vacated_at || given_at) && this.isForMe(conversation)
  }

  /** How many conversations wait for me. */
  waiting() {
    return [...this.conversations.values()].filter((each) => this.waitsForMe(each)).length
  }

  /** @returns {NewsJson} */
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
