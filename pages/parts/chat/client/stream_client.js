// @ts-check
// What changes in the chats, in one stream for all tabs of this browser that show the same to the same
// account. A tab that takes over the lead goes on at the same place.

import { LeaderTab } from "../../stream/leader_tab.js"
import { ServerStream } from "../../stream/server_stream.js"
import { agentAddress } from "./agent_api.js"

/** @import { AgentApi } from "./agent_api.js" */
/** @import { AgentCookie } from "./agent_cookie.js" */
/** @import { ChatStore } from "./chat_store.js" */
/** @import { NoticeTeller } from "./notice_teller.js" */
/** @import { AgentJson, ConnectionStatus, LimitsJson, NewsJson, TabMessage } from "./chat_types.js" */

const NAME = "visitor-monitor-agent"
const STREAM_AGAIN = 120_000
const HERE_EVERY = 10_000

export class StreamClient {
  /**
   * @param {ChatStore} store
   * @param {AgentApi} api
   * @param {AgentCookie} cookie
   * @param {LimitsJson} limits
   * @param {NoticeTeller} notices
   * @param {string} whose what tabs of somebody else, or with other rights, have another one of
   */
  constructor(store, api, cookie, limits, notices, whose) {
    this.store = store
    this.api = api
    this.cookie = cookie
    this.limits = limits
    this.notices = notices
    notices.ring = () => this.tab.broadcast({ kind: "ring" })
    this.lastSignAt = 0
    this.hereAt = 0 // when the server last heard that this browser is awake
    this.newestOfLeader = 0 // the newest revision that the leader tab has sent
    this.isCatchingUp = false
    /** @type {object | null} Identifies the polling loop that runs now. */
    this.polling = null
    /** @type {LeaderTab<TabMessage>} */
    this.tab = new LeaderTab(`${NAME} ${whose}`, {
      lead: () => this.connect(),
      follow: () => this.follow(),
      receive: (message) => this.receive(message),
    })
    this.stream = new ServerStream(
      () => agentAddress(`stream?after=${store.revision}`),
      limits.silent_for,
      {
        hello: ({ following }) => this.isUp(following),
        news: (news) => this.takeNews(news),
        beat: (beat) => this.beat(beat),
        lost: () => this.setStatus("lost"),
        heldBack: () => this.poll(),
      },
    )
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
    this.tab.send({ kind: "named" })
    this.lastSignAt = Date.now()
    if (!before) this.queueForLead()
    else if (this.tab.isLeader) this.connect()
  }

  // ---- which tab leads

  queueForLead(steal = false) {
    this.store.setStatus("connecting")
    this.tab.send({ kind: "ask" })
    this.tab.queue(steal)
  }

  follow() {
    this.disconnect()
    this.queueForLead()
  }

  // ---- between tabs

  /** @param {TabMessage} message */
  receive(message) {
    if (message.kind === "named") return this.store.emit({ kind: "named" })
    if (message.kind === "ask") return this.answer()
    if (message.kind === "ring") return this.notices.sound.ring()
    if (this.tab.isLeader) return
    this.lastSignAt = Date.now()
    if (message.kind === "news") return this.takeFrom(message.from, message.news)
    this.store.setStatus(message.status)
    if (message.kind !== "snapshot" || message.news.id < this.store.revision) return
    this.store.take(message.news, true)
  }

  answer() {
    const { store } = this
    if (store.isRead) this.tab.broadcast({ kind: "snapshot", news: store.snapshot(), status: store.status })
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
    if (this.store.agent) this.stream.connect()
  }

  disconnect() {
    this.stream.disconnect()
    this.polling = null
  }

  /**
   * The leader tab has heard something, and says that it is awake: the stream of a computer that sleeps stays
   * open. In a hidden tab timers hardly run, but what the server sends is heard.
   */
  heard() {
    this.lastSignAt = Date.now()
    if (Date.now() - this.hereAt < HERE_EVERY) return
    this.hereAt = Date.now()
    this.api.post("here", {})
  }

  /** @param {boolean} [isFollowing] whether the server follows the chats: else what is new comes late */
  isUp(isFollowing = true) {
    this.stream.faults = 0
    this.heard()
    this.setStatus(isFollowing ? "live" : "late")
  }

  /**
   * There is none while the server does not follow the chats.
   * @param {{ now: number }} beat
   */
  beat({ now }) {
    this.heard()
    this.store.skew = now - Date.now()
    this.store.setStatus("live")
    this.tab.broadcast({ kind: "beat", status: "live" })
  }

  /** @param {NewsJson} news */
  takeNews(news) {
    this.heard()
    const from = this.store.revision
    this.store.take(news, news.whole)
    this.tab.broadcast({ kind: "news", from, news: { ...news, id: this.store.revision } })
    this.notices.tell(news.notices ?? [])
  }

  /** @param {ConnectionStatus} status */
  setStatus(status) {
    this.store.setStatus(status)
    this.tab.broadcast({ kind: "status", status })
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
      if (!news) await new Promise((done) => setTimeout(done, this.stream.wait()))
    }
    if (this.polling === polling) this.connect()
  }

  // ---- awake again

  wake() {
    if (!this.store.agent) return
    if (this.tab.isLeader && this.store.status === "lost" && !this.polling) this.connect()
    else if (!this.tab.isLeader) this.tab.send({ kind: "ask" })
  }

  watch() {
    if (!this.store.agent || Date.now() - this.lastSignAt < this.limits.silent_for || this.polling) return
    this.lastSignAt = Date.now()
    if (this.tab.isLeader) this.connect()
    else if (!document.hidden) this.queueForLead(true)
  }
}
