// The one stream of this browser. The tab that holds the lock has it and tells the others; when it
// goes, the next one takes over where it was. Browsers allow six connections for each host.

import { addressOf } from "./agent_api.js"

// The lock that the leader tab holds, and the channel between the tabs.
const LEADER = "visitor-monitor-agent"
const HELLO_WITHIN = 5_000
const STREAM_AGAIN = 120_000
export const WAITS = [1_000, 2_000, 4_000, 8_000, 15_000]

export class StreamClient {
  constructor(store, api, cookie, limits) {
    this.store = store
    this.api = api
    this.cookie = cookie
    this.limits = limits
    this.faults = 0
    this.heardAt = 0
    this.told = 0 // the newest revision that the leading tab has told of
    this.channel = new BroadcastChannel(LEADER)
    this.channel.onmessage = ({ data }) => this.hear(data)
    for (const event of ["online", "pageshow"]) addEventListener(event, () => this.wake())
    document.addEventListener("visibilitychange", () => document.hidden || this.wake())
    setInterval(() => this.watch(), 5_000)
  }

  // Be this agent: {id, name, key}. Python has the key; the browser keeps it in a cookie.
  start(agent) {
    const before = this.store.agent
    this.cookie.key = agent.key
    this.store.setAgent({ id: agent.id, name: agent.name })
    if (before?.id === agent.id) return
    this.channel.postMessage({ kind: "named" })
    this.heardAt = Date.now()
    if (!before) this.queueForLead()
    else if (this.isLeader) this.connect()
  }

  // ---- who leads

  queueForLead(steal = false) {
    this.store.setStatus("connecting")
    this.channel.postMessage({ kind: "ask" })
    if (!navigator.locks) return this.lead()
    const options = steal ? { steal } : {}
    navigator.locks
      .request(LEADER, options, () => this.lead())
      .catch(() => this.follow()) // another tab took it: this one was asleep
  }

  // Until the page goes.
  lead() {
    this.isLeader = true
    this.connect()
    return new Promise(() => {})
  }

  follow() {
    this.isLeader = false
    this.disconnect()
    this.queueForLead()
  }

  // ---- between tabs

  say(message) {
    if (this.isLeader) this.channel.postMessage(message)
  }

  hear({ kind, from, news, status }) {
    if (kind === "named") return this.store.tell({ kind: "named" })
    if (kind === "ask") return this.answer()
    if (this.isLeader) return
    this.heardAt = Date.now()
    if (status) this.store.setStatus(status)
    if (kind === "news") this.takeFrom(from, news)
    if (kind === "snapshot" && news.id >= this.store.revision) this.store.take(news, true)
  }

  answer() {
    const { store } = this
    if (store.isRead) this.say({ kind: "snapshot", news: store.snapshot(), status: store.status })
  }

  // A tab that slept may have missed some: then it asks the server.
  takeFrom(from, news) {
    this.told = Math.max(this.told, news.id)
    if (this.store.isRead && from <= this.store.revision) this.store.take(news, news.whole)
    else this.catchUp()
  }

  // Until it knows all that it was told of: there may be more when the answer comes.
  async catchUp() {
    if (this.isCatchingUp) return
    this.isCatchingUp = true
    for (let news = {}; news && this.store.revision < this.told; ) {
      news = await this.api.get(`poll?after=${this.store.revision}`)
      if (news?.conversations) this.store.take(news, news.whole)
    }
    this.isCatchingUp = false
  }

  // ---- the stream

  connect() {
    this.disconnect()
    if (!this.store.agent) return
    this.source = new EventSource(addressOf(`stream?after=${this.store.revision}`))
    const { source } = this
    source.addEventListener("hello", () => this.isUp())
    source.addEventListener("beat", (event) => this.beat(event))
    source.addEventListener("message", (event) => this.takeNews(JSON.parse(event.data)))
    source.addEventListener("error", () => this.failed(source))
    this.timer = setTimeout(() => this.poll(), HELLO_WITHIN)
  }

  disconnect() {
    clearTimeout(this.timer)
    this.source?.close()
    this.source = null
    this.polling = null
  }

  isUp() {
    clearTimeout(this.timer)
    this.faults = 0
    this.heardAt = Date.now()
    this.setStatus("live")
  }

  beat({ data }) {
    this.heardAt = Date.now()
    this.store.skew = JSON.parse(data).now - Date.now()
    this.say({ kind: "beat", status: "live" })
  }

  takeNews(news) {
    this.heardAt = Date.now()
    const from = this.store.revision
    this.store.take(news, news.whole)
    this.say({ kind: "news", from, news: { ...news, id: this.store.revision } })
  }

  // A browser comes back by itself after a lost connection, not after a refusal.
  failed(source) {
    if (source !== this.source) return
    this.setStatus("lost")
    clearTimeout(this.timer)
    if (source.readyState === EventSource.CLOSED) this.again()
    else this.timer = setTimeout(() => this.connect(), this.limits.silent_for)
  }

  again() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.connect(), this.wait())
  }

  wait() {
    const wait = WAITS[Math.min(this.faults++, WAITS.length - 1)]
    return wait * (0.75 + Math.random() / 2)
  }

  setStatus(status) {
    this.store.setStatus(status)
    this.say({ kind: "status", status })
  }

  // ---- where a proxy holds the stream back

  async poll() {
    this.disconnect()
    const polling = (this.polling = {})
    const until = Date.now() + STREAM_AGAIN
    while (this.polling === polling && Date.now() < until) {
      const news = await this.api.get(`poll?after=${this.store.revision}`)
      if (this.polling !== polling) return
      if (news) this.isUp()
      else this.setStatus("lost")
      if (news?.conversations) this.takeNews(news)
      if (!news) await new Promise((done) => setTimeout(done, this.wait()))
    }
    if (this.polling === polling) this.connect()
  }

  // ---- awake again

  wake() {
    if (!this.store.agent) return
    if (this.isLeader && this.store.status === "lost" && !this.polling) this.connect()
    else if (!this.isLeader) this.channel.postMessage({ kind: "ask" })
  }

  watch() {
    if (!this.store.agent || Date.now() - this.heardAt < this.limits.silent_for || this.polling) return
    this.heardAt = Date.now()
    if (this.isLeader) this.connect()
    else if (!document.hidden) this.queueForLead(true)
  }
}
