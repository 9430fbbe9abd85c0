// @ts-check
// The one stream of this browser. The leader tab, which holds the lock, has the stream and sends the
// other tabs what comes. When it closes, the next tab takes over at the same place. One stream is
// enough for all tabs because browsers allow only six connections to a host.

import { addressOf } from "./agent_api.js"
import { retryWait } from "./retry_wait.js"

/** @import { AgentApi } from "./agent_api.js" */
/** @import { AgentCookie } from "./agent_cookie.js" */
/** @import { ChatStore } from "./chat_store.js" */
/** @import { AgentJson, ConnectionStatus, LimitsJson, NewsJson, TabMessage } from "./chat_types.js" */

// The lock that the leader tab holds, and the channel between the tabs.
const LEADER = "visitor-monitor-agent"
const HELLO_WITHIN = 5_000
const STREAM_AGAIN = 120_000

export class StreamClient {
  /**
   * @param {ChatStore} store
   * @param {AgentApi} api
   * @param {AgentCookie} cookie
   * @param {LimitsJson} limits
   */
  constructor(store, api, cookie, limits) {
    this.store = store
    this.api = api
    this.cookie = cookie
    this.limits = limits
    this.faults = 0
    this.lastSignAt = 0
    this.newestOfLeader = 0 // the newest revision that the leader tab has sent
    this.isLeader = false
    this.isCatchingUp = false
    /** @type {EventSource | null} */
    this.source = null
    /** @type {object | null} Identifies the polling loop that runs now. */
    this.polling = null
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    this.channel = new BroadcastChannel(LEADER)
    this.channel.onmessage = ({ data }) => this.receive(data)
    for (const event of ["online", "pageshow"]) addEventListener(event, () => this.wake())
    document.addEventListener("visibilitychange", () => document.hidden || this.wake())
    setInterval(() => this.watch(), 5_000)
  }

  /**
   * Use this agent. Python sends the key; the browser keeps it in a cookie.
   * @param {AgentJson} agent
   */
  start(agent) {
    const before = this.store.agent
    this.cookie.key = agent.key
    this.store.setAgent({ id: agent.id, name: agent.name })
    if (before?.id === agent.id) return
    this.channel.postMessage({ kind: "named" })
    this.lastSignAt = Date.now()
    if (!before) this.queueForLead()
    else if (this.isLeader) this.connect()
  }

  // ---- which tab leads

  queueForLead(steal = false) {
    this.store.setStatus("connecting")
    this.channel.postMessage({ kind: "ask" })
    const lock = navigator.locks ? navigator.locks.request(LEADER, { steal }, () => this.lead()) : this.lead()
    lock.catch(() => this.follow()) // another tab took the lock while this one was asleep
  }

  /**
   * Hold the lock until the page is closed.
   * @returns {Promise<void>}
   */
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

  /** @param {TabMessage} message */
  broadcast(message) {
    if (this.isLeader) this.channel.postMessage(message)
  }

  /** @param {TabMessage} message */
  receive(message) {
    if (message.kind === "named") return this.store.emit({ kind: "named" })
    if (message.kind === "ask") return this.answer()
    if (this.isLeader) return
    this.lastSignAt = Date.now()
    if (message.kind === "news") return this.takeFrom(message.from, message.news)
    this.store.setStatus(message.status)
    if (message.kind !== "snapshot" || message.news.id < this.store.revision) return
    this.store.take(message.news, true)
  }

  answer() {
    const { store } = this
    if (store.isRead) this.broadcast({ kind: "snapshot", news: store.snapshot(), status: store.status })
  }

  /**
   * A tab that slept may have missed news: then it reads them from the server.
   * @param {number} from
   * @param {NewsJson} news
   */
  takeFrom(from, news) {
    this.newestOfLeader = Math.max(this.newestOfLeader, news.id)
    if (this.store.isRead && from <= this.store.revision) this.store.take(news, news.whole)
    else this.catchUp()
  }

  /** Read until this tab has all that the leader tab has: more may come during a read. */
  async catchUp() {
    if (this.isCatchingUp) return
    this.isCatchingUp = true
    while (this.store.revision < this.newestOfLeader) {
      const news = await this.api.poll(this.store.revision)
      if (!news) break
      if (news.conversations) this.store.take(news, news.whole)
    }
    this.isCatchingUp = false
  }

  // ---- the stream

  connect() {
    this.disconnect()
    if (!this.store.agent) return
    this.source = new EventSource(addressOf(`stream?after=${this.store.revision}`))
    const { source } = this
    source.addEventListener("hello", ({ data }) => this.isUp(JSON.parse(data).following))
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

  /** @param {boolean} [isFollowing] whether the server follows the chats: else what is new comes late */
  isUp(isFollowing = true) {
    clearTimeout(this.timer)
    this.faults = 0
    this.lastSignAt = Date.now()
    this.setStatus(isFollowing ? "live" : "late")
  }

  /**
   * There is none while the server does not follow the chats.
   * @param {MessageEvent<string>} event
   */
  beat({ data }) {
    this.lastSignAt = Date.now()
    this.store.skew = JSON.parse(data).now - Date.now()
    this.store.setStatus("live")
    this.broadcast({ kind: "beat", status: "live" })
  }

  /** @param {NewsJson} news */
  takeNews(news) {
    this.lastSignAt = Date.now()
    const from = this.store.revision
    this.store.take(news, news.whole)
    this.broadcast({ kind: "news", from, news: { ...news, id: this.store.revision } })
  }

  /**
   * A browser reconnects by itself after a lost connection, not after a refusal.
   * @param {EventSource} source
   */
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
    return retryWait(this.faults++) * (0.75 + Math.random() / 2)
  }

  /** @param {ConnectionStatus} status */
  setStatus(status) {
    this.store.setStatus(status)
    this.broadcast({ kind: "status", status })
  }

  // ---- where a proxy holds the stream back

  async poll() {
    this.disconnect()
    const polling = (this.polling = {})
    const until = Date.now() + STREAM_AGAIN
    while (this.polling === polling && Date.now() < until) {
      const news = await this.api.poll(this.store.revision)
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
    if (!this.store.agent || Date.now() - this.lastSignAt < this.limits.silent_for || this.polling) return
    this.lastSignAt = Date.now()
    if (this.isLeader) this.connect()
    else if (!document.hidden) this.queueForLead(true)
  }
}
