// The parts of the component: alerts (every page), chats (the list and a conversation) and
// conversation (one alone). All instances of a page share one store, one stream and one outbox.

import { AgentApi } from "./agent_api.js"
import { AgentCookie } from "./agent_cookie.js"
import { ChatStore } from "./chat_store.js"
import { ChatsView } from "./chats_view.js"
import { ConversationView } from "./conversation_view.js"
import { Outbox } from "./outbox.js"
import { SidebarAlert } from "./sidebar_alert.js"
import { Sound } from "./sound.js"
import { StreamClient } from "./stream_client.js"
import { TabTitle } from "./tab_title.js"

const INSTANCES = new WeakMap()
const PARTS = {
  alerts: (parent, app) => new SidebarAlert(parent, app),
  chats: (parent, app, data) => new ChatsView(parent, app, data),
  conversation: (parent, app, data) => new ConversationView(parent, app, data),
}

export default function draw(component) {
  const { parentElement, data } = component
  let part = INSTANCES.get(parentElement)
  if (!part) {
    part = PARTS[data.part](parentElement, shared(data), data)
    part.stopListening = shared(data).store.listen((what) => part.hear(what))
    part.timer = setInterval(() => document.hidden || part.tick(), 1000)
    INSTANCES.set(parentElement, part)
  }
  part.refresh(component)
  return () => {
    clearInterval(part.timer)
    part.stopListening()
    part.stop()
    part.root.remove()
    INSTANCES.delete(parentElement)
  }
}

let known

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
  window[Symbol.for("visitor-monitor-chats")] = store
  window.dispatchEvent(new Event("visitor-monitor-chats"))
  return known
}
