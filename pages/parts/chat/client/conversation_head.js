// @ts-check
// The head of a conversation: the visitor, the agent, and the buttons.

import { focusedIn, make, setAttribute, setText } from "../../table/elements.js"
import { MoreMenu } from "./more_menu.js"

/** @import { ConversationJson, PanelApp } from "./chat_types.js" */

/** @typedef {"take" | "end" | "give" | "block" | "done"} HeadAction */

/**
 * @typedef {object} Question
 * @property {string} text
 * @property {string} yes
 * @property {string} no
 * @property {HeadAction} action
 */

/** @type {Question} */
const END = { text: "End this chat?", yes: "End chat", no: "Keep", action: "end" }
/** @type {Question} */
const WITHDRAW = { text: "Withdraw the invitation?", yes: "Withdraw", no: "Keep", action: "end" }
/** @type {Question} */
const BLOCK = {
  text: "Block this visitor? The chat ends, and they can begin no other.",
  yes: "Block",
  no: "Cancel",
  action: "block",
}

export class ConversationHead {
  /**
   * @param {HTMLElement} parent
   * @param {PanelApp} app
   * @param {(action: HeadAction, more?: object) => void} act called once the agent has confirmed
   * @param {() => void} note
   */
  constructor(parent, app, act, note) {
    this.app = app
    /** @type {ConversationJson | undefined} */
    this.conversation = undefined
    /** @type {Question | null} */
    this.asked = null
    this.node = make("header", "head", parent)
    const who = make("div", "who", this.node)
    this.name = make("h2", "", who)
    this.about = make("p", "about", who)
    this.actions = make("div", "acts", this.node)
    this.more = new MoreMenu(this.actions, app, {
      give: ({ id }) => act("give", { to: id }),
      note,
      block: () => this.ask(BLOCK),
    })
    this.visit = make("a", "act", this.actions)
    setText(this.visit, "Visit")
    this.end = this.makeButton(this.actions, "End", "", () => this.ask(this.isInvited ? WITHDRAW : END))
    this.take = this.makeButton(this.actions, "Take over", "primary", () => act("take"))
    this.done = this.makeButton(this.actions, "Done", "", () =>
      act("done", { done: !this.conversation?.done_at }),
    )
    this.answer = make("a", "act primary", this.actions)
    setText(this.answer, "Answer")
    this.sure = make("div", "sure", this.node)
    this.question = make("span", "", this.sure)
    this.yes = this.makeButton(this.sure, "", "danger", () => this.asked && act(this.asked.action))
    this.no = this.makeButton(this.sure, "", "", () => this.ask(null))
    this.sure.hidden = true
  }

  /**
   * @param {HTMLElement} parent
   * @param {string} text
   * @param {string} className
   * @param {() => void} act
   */
  makeButton(parent, text, className, act) {
    const button = make("button", `act ${className}`.trim(), parent)
    button.type = "button"
    setText(button, text)
    button.addEventListener("click", act)
    return button
  }

  get isAsking() {
    return !this.sure.hidden
  }

  get isInvited() {
    return this.conversation?.phase === "invited"
  }

  /** @param {ConversationJson | undefined} conversation */
  show(conversation) {
    this.conversation = conversation
    const isOpen = conversation?.phase === "open"
    const isLeft = conversation?.phase === "left"
    const isMine = conversation !== undefined && this.app.store.isForMe(conversation)
    const isNobodys = conversation?.answerers === null
    this.node.hidden = !conversation
    this.more.show(conversation)
    if (conversation) {
      setText(this.name, conversation.visitor)
      setText(this.about, this.aboutOf(conversation))
      setText(this.end, this.isInvited ? "Withdraw" : "End")
      setText(this.take, isNobodys ? "Take" : "Take over")
      setText(this.done, conversation.done_at ? "Not done" : "Done")
      setAttribute(this.answer, "href", conversation.mailto)
      setAttribute(this.visit, "href", addressOfVisit(conversation))
    }
    if (this.asked?.action === "end" && !isOpen && !this.isInvited) this.ask(null)
    this.end.hidden = !(isOpen || this.isInvited) || !isMine
    this.take.hidden = !isOpen || (isMine && !isNobodys)
    this.done.hidden = !isLeft
    this.visit.hidden = !isLeft || !conversation?.visit
    this.answer.hidden = !isLeft || !conversation?.mailto
  }

  /** @param {ConversationJson} conversation */
  aboutOf(conversation) {
    const { site_name, path, agent, agent_name, email, phase } = conversation
    const whose = agent && !this.app.store.isMine(conversation) ? `with ${agent_name}` : ""
    return [site_name, phase === "left" && email ? email : path, whose].filter(Boolean).join(" · ")
  }

  /**
   * Ask the agent to confirm, or stop asking.
   * @param {Question | null} question
   */
  ask(question) {
    const was = this.isAsking
    this.asked = question
    this.sure.hidden = !question
    this.actions.hidden = Boolean(question)
    if (question) {
      setText(this.question, question.text)
      setText(this.yes, question.yes)
      setText(this.no, question.no)
      this.no.focus()
    } else if (was && this.sure.contains(focusedIn(this.node))) this.end.focus()
  }
}

/** @param {ConversationJson} conversation */
const addressOfVisit = ({ site, visit }) => `visitor?${new URLSearchParams({ site, visit })}`
