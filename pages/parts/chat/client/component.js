// @ts-check
// The parts of the component: alerts (every page), chats (the list and a conversation) and
// conversation (one alone). All instances of a page share one store, one stream and one outbox. The
// alerts are on every page, and so is what they begin.

import { nameManifest } from "../../app_manifest.js"
import { keepFocusInDialog } from "../../dialog_focus.js"
import { silenceHotkeys } from "../../hotkeys.js"
import { watchSession } from "../../stream/session_watch.js"
import { AgentApi } from "./agent_api.js"
import { AgentCookie } from "./agent_cookie.js"
import { ChatStore } from "./chat_store.js"
import { ChatsView } from "./chats_view.js"
import { NoticeTeller } from "./notice_teller.js"
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
  if (madeFor !== whoOf(component.data)) location.reload() // what is known here is not for them
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
let madeFor = ""

/** @param {ChatData} data */
const whoOf = ({ account, rights }) => `${account} ${rights}`

/**
 * @param {ChatData} data
 * @returns {ChatApp}
 */
function shared(data) {
  if (known) return known
  madeFor = whoOf(data)
  const { account, cookie: name, limits } = data
  const store = new ChatStore(limits)
  const api = new AgentApi(store)
  const cookie = new AgentCookie(name)
  const sound = new Sound(store)
  const notices = new NoticeTeller(sound, store)
  const stream = new StreamClient(store, api, cookie, limits, notices, madeFor)
  const outbox = new Outbox(store, api, account)
  known = { store, api, stream, outbox, cookie, limits, sound, notices }
  new TabTitle(store)
  silenceHotkeys()
  keepFocusInDialog()
  watchSession()
  nameManifest()
  // Where the tests find it, to let a tab fall behind.
  Object.assign(window, { [Symbol.for("visitor-monitor-chats")]: store })
  return known
}
