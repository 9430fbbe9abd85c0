// @ts-check
// The conversations of all sites, those that wait first. Each conversation keeps its node.

import { childrenOf, closestTo, focusedIn, make, setAttribute, setText } from "../../table/elements.js"
import { lengthLabel } from "../../table/labels.js"
import { keyOf } from "./chat_store.js"
import { SoundSwitch } from "./sound_switch.js"
import { STATUS, timeOf } from "./texts.js"
import { byUrgency } from "./urgency.js"

/** @import { ConversationJson, ListApp } from "./chat_types.js" */

/** @type {[name: string, phase: ConversationJson["phase"]][]} */
const GROUPS = [
  ["Open", "open"],
  ["Left messages", "left"],
  ["Invited", "invited"],
  ["Just over", "over"],
]

/**
 * The group of the list: a left message that is ticked off is over.
 * @param {ConversationJson} conversation
 */
const groupOf = ({ phase, done_at }) => (phase === "left" && done_at ? "over" : phase)

/** @typedef {{ node: HTMLElement, button: HTMLElement, conversation: ConversationJson }} ListItem */

export class ConversationList {
  /**
   * @param {HTMLElement} parent
   * @param {ListApp} app
   * @param {{ isOneSite: boolean }} options
   */
  constructor(parent, app, { isOneSite }) {
    this.app = app
    this.isOneSite = isOneSite
    /** @type {Map<string, ListItem>} */
    this.items = new Map()
    this.node = make("nav", "list", parent)
    this.node.setAttribute("aria-label", "Chats")
    const head = make("div", "list-head", this.node)
    this.title = make("h2", "", head)
    new SoundSwitch(head, app.sound)
    this.groups = GROUPS.map(([name, phase]) => this.makeGroup(name, phase))
    this.empty = make("p", "empty", this.node)
    this.node.addEventListener("click", (event) => this.choose(closestTo(event, ".item")))
    this.node.addEventListener("keydown", (event) => this.key(event))
  }

  /**
   * @param {string} name
   * @param {ConversationJson["phase"]} phase
   */
  makeGroup(name, phase) {
    const section = make("section", "group", this.node)
    const heading = make("h3", "", section)
    setText(heading, name)
    const list = make("ul", "", section)
    list.setAttribute("role", "list")
    list.setAttribute("aria-label", name)
    return { section, list, phase }
  }

  show() {
    const { store } = this.app
    const open = [...store.conversations.values()].filter((each) => this.isListed(each))
    this.place(this.groups.map((group) => open.filter((each) => groupOf(each) === group.phase)))
    const waiting = store.waiting()
    setText(this.title, waiting ? `${waiting} waiting for you` : "Chats")
    setText(this.empty, open.length ? "" : store.isRead ? NO_CHATS : STATUS[store.status] ?? "")
  }

  /** @param {ConversationJson} conversation */
  isListed(conversation) {
    if (keyOf(conversation) === this.app.chosen) return true
    if (groupOf(conversation) !== "over") return true
    const over_at = conversation.done_at ?? conversation.closed_at ?? 0
    return this.app.store.now() - over_at < this.app.limits.over_for
  }

  /** @param {ConversationJson[][]} groups */
  place(groups) {
    const focused = focusedIn(this.node)
    /** @type {Map<string, ListItem>} In the order of the page. */
    const kept = new Map()
    groups.forEach((members, index) => {
      const { section, list } = this.groups[index]
      section.hidden = members.length === 0
      /** @type {ChildNode | null} */
      let next = list.firstChild
      for (const conversation of members.sort(byUrgency(this.app.store))) {
        const key = keyOf(conversation)
        const item = this.items.get(key) ?? this.makeItem(conversation)
        kept.set(key, item)
        if (item.node === next) next = item.node.nextSibling
        else list.insertBefore(item.node, next)
        item.conversation = conversation
        this.showItem(item)
      }
    })
    for (const [key, item] of this.items) if (!kept.has(key)) item.node.remove()
    this.items = kept
    this.markChosen()
    if (focused?.isConnected && focusedIn(this.node) !== focused) focused.focus({ preventScroll: true })
  }

  /**
   * @param {ConversationJson} conversation
   * @returns {ListItem}
   */
  makeItem(conversation) {
    const node = make("li", "entry")
    const button = make("button", "item", node)
    button.type = "button"
    button.dataset.key = keyOf(conversation)
    const top = make("span", "top", button)
    make("span", "name", top)
    make("span", "since", top)
    const middle = make("span", "middle", button)
    make("span", "last", middle).dir = "auto"
    make("span", "count", middle)
    make("span", "about", button)
    return { node, button, conversation }
  }

  /** @param {ListItem} item */
  showItem(item) {
    const { conversation, button } = item
    const { store } = this.app
    const [top, middle, about] = childrenOf(button)
    const [name] = childrenOf(top)
    const [, count] = childrenOf(middle)
    const isUnread = conversation.unread > 0 && conversation.phase !== "invited"
    setText(name, conversation.visitor)
    setText(count, isUnread ? String(conversation.unread) : "")
    setAttribute(count, "aria-label", isUnread ? `${conversation.unread} unread` : null)
    setText(about, this.aboutOf(conversation))
    button.classList.toggle("unread", store.waitsForMe(conversation))
    this.tickItem(item)
  }

  /** @param {ConversationJson} conversation */
  aboutOf(conversation) {
    const parts = []
    if (conversation.phase !== "open") parts.push(conversation.done_at ? "Done" : conversation.state_text)
    if (conversation.vacated_at) parts.push("needs an agent")
    if (conversation.given_at && this.app.store.isMine(conversation)) parts.push("given to you")
    if (!this.isOneSite) parts.push(conversation.site_name)
    if (conversation.phase === "open" && conversation.path) parts.push(conversation.path)
    if (conversation.agent && !this.app.store.isMine(conversation)) parts.push(conversation.agent_name)
    return parts.join(" · ")
  }

  tick() {
    for (const item of this.items.values()) this.tickItem(item)
  }

  /** @param {ListItem} item */
  tickItem({ conversation, button }) {
    const [top, middle] = childrenOf(button)
    const [, node] = childrenOf(top)
    const [last] = childrenOf(middle)
    const isTyping = this.app.store.isTyping(conversation)
    setText(last, isTyping ? "is typing …" : conversation.last)
    last.classList.toggle("typing", isTyping)
    const { waiting_since, gone_at, message_at, created_at, phase } = conversation
    const isGone = phase === "open" && Boolean(gone_at)
    const since = phase === "open" ? waiting_since : phase === "invited" ? created_at : null
    const waits = Boolean(since) && phase === "open" && !isGone
    const now = this.app.store.now()
    if (isGone) setText(node, leftLabel(now - (gone_at ?? now)))
    else setText(node, since ? lengthLabel((now - since) / 1000) : timeOf(message_at ?? created_at))
    node.classList.toggle("waits", waits)
    button.classList.toggle("gone", isGone)
    setAttribute(node, "title", isGone ? HAS_GONE : waits ? "Waiting for an answer" : null)
  }

  /** @param {HTMLElement | null} button */
  choose(button) {
    if (button) this.app.choose(button.dataset.key ?? "")
  }

  markChosen() {
    const { chosen } = this.app
    const first = this.items.get(chosen) ?? this.items.values().next().value
    for (const [key, item] of this.items) {
      setAttribute(item.button, "aria-current", key === chosen ? "true" : null)
      item.button.tabIndex = item === first ? 0 : -1
    }
  }

  focus() {
    const item = this.items.get(this.app.chosen) ?? this.items.values().next().value
    item?.button.focus()
  }

  /**
   * The list is one stop for the tab key; the arrow keys move within it.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const buttons = [...this.items.values()].map((item) => item.button)
    const here = buttons.findIndex((button) => button === closestTo(event, ".item"))
    const there = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: buttons.length - 1 }[event.key]
    if (here < 0 || there === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    buttons[Math.min(Math.max(there, 0), buttons.length - 1)].focus()
  }
}

const NO_CHATS =
  "Nobody is chatting. In Visitor Monitor, choose a visitor and invite them: " +
  "the invitation and their answer appear here."

const HAS_GONE = "No page of this visitor is in view; they may come back"

/** @param {number} length since they left, in milliseconds */
const leftLabel = (length) => `left ${Math.max(Math.floor(length / 60_000), 1)} min ago`
