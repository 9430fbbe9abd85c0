// @ts-check
// What an agent has written: drafts, and messages not stored yet. Both survive a reload, and stay the
// account's own when somebody else signs in here.

import { keepStored, readStored } from "./browser_storage.js"
import { keyOf } from "./chat_store.js"
import { newId } from "./random_id.js"
import { retryWait } from "../../stream/retry_wait.js"

/** @import { AgentApi } from "./agent_api.js" */
/** @import { ChatStore } from "./chat_store.js" */
/** @import { StoreEvent, UnsentMessage } from "./chat_types.js" */

const DRAFTS = "visitor-monitor-drafts"
const UNSENT = "visitor-monitor-unsent"

export class Outbox {
  /**
   * @param {ChatStore} store
   * @param {AgentApi} api
   * @param {number} account 0 where nobody has to sign in
   */
  constructor(store, api, account) {
    this.store = store
    this.api = api
    const whose = account ? `-${account}` : ""
    this.draftsName = DRAFTS + whose
    this.unsentName = UNSENT + whose
    this.drafts = readStored(this.draftsName, /** @type {Record<string, string>} */ ({}))
    this.unsent = readStored(this.unsentName, /** @type {UnsentMessage[]} */ ([]))
    /** @type {Set<string>} The conversations whose messages are being sent. */
    this.sending = new Set()
    /** @type {Set<() => void>} Each ends the pause before another try. */
    this.pauses = new Set()
    store.subscribe((event) => this.receive(event))
    for (const { key } of this.unsent) this.sendNext(key)
  }

  /** @param {string} key */
  draftOf(key) {
    return this.drafts[key] ?? ""
  }

  /**
   * @param {string} key
   * @param {string} text
   */
  keepDraft(key, text) {
    if (text) this.drafts[key] = text
    else delete this.drafts[key]
    keepStored(this.draftsName, this.drafts)
  }

  /** @param {string} key */
  unsentOf(key) {
    return this.unsent.filter((message) => message.key === key)
  }

  /**
   * @param {{ site: string, id: string }} conversation
   * @param {string} text
   * @param {string} template
   * @param {"send" | "mail"} by
   */
  send({ site, id }, text, template, by) {
    const key = keyOf({ site, id })
    this.unsent.push({ key, site, id, n: newId(), text, template, by, at: this.store.now(), error: "" })
    this.changed()
    this.sendNext(key)
  }

  /** @param {string} n */
  drop(n) {
    const message = this.unsent.find((each) => each.n === n)
    if (!message) return
    this.unsent = this.unsent.filter((each) => each !== message)
    this.changed()
    this.sendNext(message.key)
  }

  /** @param {string} n */
  retry(n) {
    const message = this.unsent.find((each) => each.n === n)
    if (!message) return
    message.error = ""
    this.changed()
    this.sendNext(message.key)
  }

  /**
   * Send one after the other, so that they arrive in order. The id makes a second try harmless.
   * @param {string} key
   */
  async sendNext(key) {
    if (this.sending.has(key)) return
    this.sending.add(key)
    for (let faults = 0, message; (message = this.next(key)); ) {
      const { site, id, n, text, template, by = "send" } = message
      const done = await this.api.post(by, { site, id, n, text, template })
      if (done.isDone) this.drop(n)
      else if (done.error) this.refuse(message, done.error)
      else await this.pause(retryWait(faults++))
      if (done.isDone) faults = 0
    }
    this.sending.delete(key)
  }

  /**
   * A refused message holds back those after it: out of order they could be misunderstood.
   * @param {string} key
   */
  next(key) {
    const first = this.unsentOf(key)[0]
    return first && !first.error ? first : undefined
  }

  /**
   * @param {UnsentMessage} message
   * @param {string} error
   */
  refuse(message, error) {
    message.error = error
    this.changed()
  }

  /**
   * @param {number} length
   * @returns {Promise<void>}
   */
  pause(length) {
    return new Promise((done) => {
      this.pauses.add(done)
      setTimeout(done, length)
    })
  }

  /** Try again at once for all that wait. */
  goOn() {
    for (const done of this.pauses) done()
    this.pauses.clear()
  }

  /**
   * The stream may bring a message before the answer to its post.
   * @param {StoreEvent} event
   */
  receive(event) {
    const isUp = this.store.status === "live" || this.store.status === "late"
    if (event.kind === "status" && isUp) this.goOn()
    if (event.kind !== "news" || !this.unsent.length) return
    /** @param {UnsentMessage} message */
    const there = (message) =>
      [...(this.store.messages.get(message.key)?.values() ?? [])].some(({ client }) => client === message.n)
    const left = this.unsent.filter((message) => !there(message))
    if (left.length === this.unsent.length) return
    this.unsent = left
    this.changed()
  }

  changed() {
    keepStored(this.unsentName, this.unsent)
    this.store.emit({ kind: "unsent" })
  }
}
