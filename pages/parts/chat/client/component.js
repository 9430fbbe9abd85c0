// @ts-check
// The parts of the component: alerts (every page), chats (the list and a conversation) and
// conversation (one alone). All instances of a page share one store, one stream and one outbox.

import { AgentApi } from "./agent_api.js"
import { AgentCookie } from "./agent_cookie.js"
import { ChatStore } from "./chat_store.js"
import { ChatsView } from "./chats_view.js"
import { Outbox } from "./outbox.js"
import { SidebarAlert } from "./sidebar_alert.js"
import { SingleConversation } from "./single_conversation.js"
import { Sound } from "./sound.js"
import { StreamClient } from "./stream_client.js"
import { TabTitle } from "./tab_title.js"

/** @import { ComponentArguments } from "../../streamlit.js" */
/** @import { ChatApp, ChatData, ChatPart } from "./chat_types.js" */

/** @type {WeakMap<ParentNode, { part: ChatPart<any>, stop: () => void }>} */
const INSTANCES = new WeakMap()

/** @type {Record<ChatData["part"], (parent: ParentNode, app: ChatApp, data: any) => ChatPart<any>>} */
const PARTS = {
  alerts: (parent, app) => new SidebarAlert(parent, app),
  chats: (parent, app, data) => new ChatsView(parent, app, data),
  conversation: (parent, app, data) => new SingleConversation(parent, app, data),
}

/** @param {ComponentArguments<ChatData>} component */
export default function draw(component) {
  const drawn = INSTANCES.get(component.parentElement) ?? begin(component)
  drawn.part.refresh(component)
  return drawn.stop
}

/** @param {ComponentArguments<ChatData>} component */
function begin({ parentElement, data }) {
  const app = shared(data)
  const part = PARTS[data.part](parentElement, app, data)
  const unsubscribe = app.store.subscribe((event) => part.receive(event))
  const timer = setInterval(() => document.hidden || part.tick(), 1000)
  const stop = () => {
    clearInterval(timer)
    unsubscribe()
    part.stop()
    part.root.remove()
    INSTANCES.delete(parentElement)
  }
  const drawn = { part, stop }
  INSTANCES.set(parentElement, drawn)
  return drawn
}

/** @type {ChatApp | undefined} */
let known

/**
 * @param {ChatData} data
 * @returns {ChatApp}
 */
function shared({ cookie: name, limits }) {
  if (known) return known
  const store = new ChatStore(limits)
  const api = new AgentApi(store)
  const cookie = new AgentCookie(name)
  const stream = new StreamClient(store, api, cookie, limits)
  const outbox = new Outbox(store, api)
  known = { store, api, stream, outbox, cookie, limits, sound: new Sound(store) }
  new TabTitle(store)
  // The pulse is a component of its own, so that a live page does not send all of this again.
  Object.assign(window, { [Symbol.for("visitor-monitor-chats")]: store })
  window.dispatchEvent(new Event("visitor-monitor-chats"))
  return known
}
