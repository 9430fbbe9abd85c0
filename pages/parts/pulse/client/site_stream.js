// @ts-check
// Which site has changed, as the server says it: one stream for all tabs of this browser.

import { addressOf } from "../../stream/address.js"
import { LeaderTab } from "../../stream/leader_tab.js"
import { ServerStream } from "../../stream/server_stream.js"

/** @import { SiteMessage, SiteRevisions } from "./pulse_types.js" */

const NAME = "visitor-monitor-sites"
const PATIENCE = 5_000 // a stream that comes back within this was not interrupted

export class SiteStream {
  /** @param {number} silentFor milliseconds without a sign after which a connection is dead */
  constructor(silentFor) {
    this.silentFor = silentFor
    /** @type {SiteRevisions} The newest that is known, by the site's key; "": of any site. */
    this.revisions = {}
    this.isUp = false
    this.isFollowing = false // whether the server itself hears of changes
    this.isNew = false // whether nothing has come yet on this connection
    this.lostAt = Date.now() // since when it is not up
    this.lastSignAt = Date.now()
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    /** @type {Set<() => void>} */
    this.listeners = new Set()
    /** @type {LeaderTab<SiteMessage>} */
    this.tab = new LeaderTab(NAME, {
      lead: () => this.stream.connect(),
      follow: () => this.follow(),
      receive: (message) => this.receive(message),
    })
    this.stream = new ServerStream(() => addressOf("changes"), silentFor, {
      hello: (hello) => {
        this.isNew = true
        this.hear(hello)
      },
      news: (news) => this.hear(news),
      beat: (beat) => this.hear({ following: true, ...beat }),
      lost: () => this.say({}, false),
      heldBack: () => this.say({}, false),
    })
    for (const event of ["online", "pageshow"]) addEventListener(event, () => this.wake())
    document.addEventListener("visibilitychange", () => document.hidden || this.wake())
    setInterval(() => this.watch(), 5_000)
    this.follow()
  }

  /** Whether it is up; for a short while after a loss, as at the start, it is only connecting. */
  get state() {
    if (this.isUp) return "up"
    return Date.now() - this.lostAt < PATIENCE ? "connecting" : "down"
  }

  /**
   * @param {() => void} listener
   * @returns {() => void} what ends it
   */
  subscribe(listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Queue for the lead, and ask who leads for what is known. */
  follow() {
    this.stream.disconnect()
    this.tab.send({ kind: "ask" })
    this.tab.queue()
  }

  /** @param {SiteMessage} message */
  receive(message) {
    if (message.kind === "ask") this.tab.broadcast(this.message(this.revisions, true))
    else if (!this.tab.isLeader) {
      this.lastSignAt = Date.now()
      if (message.isWhole) this.revisions = {}
      this.take(message.sites, message.isUp, message.lostAt)
    }
  }

  /**
   * The first news of a connection are all that the server knows: its database may be another one now.
   * @param {{ sites?: SiteRevisions, following?: boolean }} message
   */
  hear({ sites, following = this.isFollowing }) {
    const isWhole = this.isNew && sites !== undefined
    if (isWhole) {
      this.isNew = false
      this.revisions = {}
    }
    this.isFollowing = following
    this.say(sites ?? {}, following, isWhole)
  }

  /**
   * What the server has said, for this tab and the others.
   * @param {SiteRevisions} sites
   * @param {boolean} isUp
   * @param {boolean} [isWhole]
   */
  say(sites, isUp, isWhole = false) {
    this.take(sites, isUp, this.isUp ? Date.now() : this.lostAt)
    this.tab.broadcast(this.message(sites, isWhole))
  }

  /**
   * @param {SiteRevisions} sites
   * @param {boolean} isWhole
   * @returns {SiteMessage}
   */
  message(sites, isWhole) {
    return { kind: "sites", sites, isWhole, isUp: this.isUp, lostAt: this.lostAt }
  }

  /**
   * @param {SiteRevisions} sites
   * @param {boolean} isUp
   * @param {number} lostAt
   */
  take(sites, isUp, lostAt) {
    if (isUp) this.lastSignAt = Date.now()
    this.isUp = isUp
    this.lostAt = lostAt
    for (const [key, revision] of Object.entries(sites)) {
      this.revisions[key] = Math.max(this.revisions[key] ?? 0, revision)
    }
    clearTimeout(this.timer)
    if (this.state === "connecting") this.timer = setTimeout(() => this.notify(), PATIENCE)
    this.notify()
  }

  notify() {
    for (const listener of [...this.listeners]) listener()
  }

  wake() {
    if (this.tab.isLeader && !this.isUp) this.stream.connect()
    else if (!this.tab.isLeader) this.tab.send({ kind: "ask" })
  }

  /** A connection or a leader that is silent for too long is dead, whatever it says. */
  watch() {
    if (Date.now() - this.lastSignAt < this.silentFor) return
    this.lastSignAt = Date.now()
    this.take({}, false, this.isUp ? Date.now() : this.lostAt)
    if (this.tab.isLeader) this.stream.connect()
    else if (!document.hidden) this.tab.queue(true)
  }
}
