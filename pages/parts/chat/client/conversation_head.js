// @ts-check
// The head of a conversation: the visitor, the agent, and the buttons.

import { focusedIn, make, setText } from "../../table/elements.js"

/** @import { ConversationJson, PanelApp } from "./chat_types.js" */

export class ConversationHead {
  /**
   * @param {HTMLElement} parent
   * @param {PanelApp} app
   * @param {(action: "take" | "end") => void} act called once the agent has confirmed
   */
  constructor(parent, app, act) {
    this.app = app
    this.node = make("header", "head", parent)
    const who = make("div", "who", this.node)
    this.name = make("h2", "", who)
    this.about = make("p", "about", who)
    this.actions = make("div", "acts", this.node)
    this.end = this.makeButton(this.actions, "End", "", () => this.ask(true))
    this.take = this.makeButton(this.actions, "Take over", "primary", () => act("take"))
    this.sure = make("div", "sure", this.node)
    this.question = make("span", "", this.sure)
    this.yes = this.makeButton(this.sure, "End chat", "danger", () => act("end"))
    this.no = this.makeButton(this.sure, "Keep", "", () => this.ask(false))
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

  /** @param {ConversationJson | undefined} conversation */
  show(conversation) {
    const isOpen = conversation?.phase === "open"
    const isInvited = conversation?.phase === "invited"
    const isMine = conversation !== undefined && this.app.store.isForMe(conversation)
    this.node.hidden = !conversation
    if (conversation) {
      setText(this.name, conversation.visitor)
      setText(this.about, this.aboutOf(conversation))
      setText(this.end, isInvited ? "Withdraw" : "End")
      setText(this.yes, isInvited ? "Withdraw" : "End chat")
      setText(this.question, isInvited ? "Withdraw the invitation?" : "End this chat?")
    }
    if (!isOpen && !isInvited) this.ask(false)
    this.end.hidden = !(isOpen || isInvited) || !isMine
    this.take.hidden = !isOpen || isMine
  }

  /** @param {ConversationJson} conversation */
  aboutOf(conversation) {
    const { site_name, path, agent, agent_name } = conversation
    const whose = agent && !this.app.store.isMine(conversation) ? `with ${agent_name}` : ""
    return [site_name, path, whose].filter(Boolean).join(" · ")
  }

  /**
   * Ask the agent to confirm, or stop asking.
   * @param {boolean} isAsking
   */
  ask(isAsking) {
    const was = this.isAsking
    this.sure.hidden = !isAsking
    this.actions.hidden = isAsking
    if (isAsking) this.no.focus()
    else if (was && this.sure.contains(focusedIn(this.node))) this.end.focus()
  }
}
