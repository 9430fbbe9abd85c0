// The parts of the component: alerts (every page), chats (the list and a conversation) and
// conversation (one alone). All instances of a page share one store, one line and one outbox.

const INSTANCES = new WeakMap()
const PARTS = {
  alerts: (parent, app) => new Alerts(parent, app),
  chats: (parent, app, data) => new Chats(parent, app, data),
  conversation: (parent, app, data) => new Alone(parent, app, data),
}

export default function draw(component) {
  const { parentElement, data } = component
  let part = INSTANCES.get(parentElement)
  if (!part) {
    part = PARTS[data.part](parentElement, shared(), data)
    part.stopListening = shared().store.listen((what) => part.hear(what))
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

function shared() {
  if (known) return known
  const store = new Store()
  const line = new Line(store)
  known = { store, line, outbox: new Outbox(store, line), sound: new Sound(store) }
  new TitleCount(store)
  // The pulse is a component of its own, so that a live page does not send all of this again.
  window[Symbol.for("visitor-monitor-chats")] = store
  window.dispatchEvent(new Event("visitor-monitor-chats"))
  return known
}

class Chats {
  constructor(parent, app, data) {
    this.root = make("div", "chat-root chats", parent)
    this.app = { ...app, replies: data.replies, chosen: "", choose: (key) => this.choose(key, true) }
    this.list = this.app.list = new List(this.root, this.app, { isOneSite: data.is_one_site })
    this.panel = new Panel(this.root, this.app, { canLeave: true })
    this.turn = data.turn
  }

  // The page's address decides, for example after Back; but what was chosen here a moment ago is
  // newer than a run of the page that does not know of it.
  refresh({ data, setStateValue }) {
    this.app.replies = data.replies
    this.send = setStateValue
    if (data.agent) this.app.line.start(data.agent)
    if (data.turn === this.turn && data.chosen !== this.app.chosen) this.choose(data.chosen, false)
    this.show()
  }

  choose(key, isByHand) {
    this.app.chosen = key
    this.panel.open(key)
    this.show()
    if (!isByHand) return
    this.turn += 1
    this.send("chosen", { key, turn: this.turn })
    this.panel.composer.focus()
    if (this.panel.node.offsetTop > this.list.node.offsetTop + 20) this.panel.node.scrollIntoView({ block: "nearest" })
  }

  hear({ kind }) {
    if (kind === "whole") this.panel.load()
    this.show()
  }

  show() {
    this.list.show()
    this.panel.show()
  }

  tick() {
    this.list.tick()
    this.panel.tick()
  }

  stop() {
    this.panel.stop()
  }
}

class Alone {
  constructor(parent, app, data) {
    this.root = make("div", "chat-root alone", parent)
    this.app = { ...app, replies: data.replies, chosen: data.chosen }
    this.panel = new Panel(this.root, this.app, { canLeave: false })
  }

  refresh({ data }) {
    this.app.replies = data.replies
    if (data.agent) this.app.line.start(data.agent)
    this.panel.open(data.chosen)
    this.panel.show()
  }

  hear({ kind }) {
    if (kind === "whole") this.panel.load()
    this.panel.show()
  }

  tick() {
    this.panel.tick()
  }

  stop() {
    this.panel.stop()
  }
}
