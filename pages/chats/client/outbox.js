// What an agent has written: drafts, and messages on their way. Both live through a reload.

import { keepStored, readStored } from "./browser_storage.js"
import { keyOf } from "./chat_store.js"
import { newId } from "./random_id.js"
import { WAITS } from "./stream_client.js"

const DRAFTS = "visitor-monitor-drafts"
const UNSENT = "visitor-monitor-unsent"

export class Outbox {
  constructor(store, api) {
    this.store = store
    this.api = api
    this.drafts = readStored(DRAFTS, {})
    this.unsent = readStored(UNSENT, [])
    this.sending = new Set()
    this.pauses = new Set()
    store.listen((what) => this.hear(what))
    for (const { key } of this.unsent) this.sendNext(key)
  }

  draftOf(key) {
    return this.drafts[key] ?? ""
  }

  keepDraft(key, text) {
    if (text) this.drafts[key] = text
    else delete this.drafts[key]
    keepStored(DRAFTS, this.drafts)
  }

  unsentOf(key) {
    return this.unsent.filter((message) => message.key === key)
  }

  send({ site, id }, text, template) {
    const key = keyOf({ site, id })
    this.unsent.push({ key, site, id, n: newId(), text, template, at: this.store.now(), error: "" })
    this.changed()
    this.sendNext(key)
  }

  drop(n) {
    const message = this.unsent.find((each) => each.n === n)
    if (!message) return
    this.unsent = this.unsent.filter((each) => each !== message)
    this.changed()
    this.sendNext(message.key)
  }

  retry(n) {
    const message = this.unsent.find((each) => each.n === n)
    if (!message) return
    message.error = ""
    this.changed()
    this.sendNext(message.key)
  }

  // One after the other, so that they arrive in their order. The id makes a second try harmless.
  async sendNext(key) {
    if (this.sending.has(key)) return
    this.sending.add(key)
    for (let faults = 0, message; (message = this.next(key)); ) {
      const { site, id, n, text, template } = message
      const done = await this.api.post("send", { site, id, n, text, template })
      if (done.isDone) this.drop(n)
      else if (done.error) this.refuse(message, done.error)
      else await this.pause(WAITS[Math.min(faults++, WAITS.length - 1)])
      if (done.isDone) faults = 0
    }
    this.sending.delete(key)
  }

  // A message that was refused holds back those behind it: their order is their sense.
  next(key) {
    const first = this.unsentOf(key)[0]
    return first && !first.error ? first : undefined
  }

  refuse(message, error) {
    message.error = error
    this.changed()
  }

  pause(length) {
    return new Promise((done) => {
      this.pauses.add(done)
      setTimeout(done, length)
    })
  }

  // Another try for all that wait for one.
  goOn() {
    for (const done of this.pauses) done()
    this.pauses.clear()
  }

  // The stream may tell of a message before the answer to its sending does.
  hear(what) {
    if (what.kind === "status" && this.store.status === "live") this.goOn()
    if (what.kind !== "news" || !this.unsent.length) return
    const there = (message) =>
      [...(this.store.messages.get(message.key)?.values() ?? [])].some(({ client }) => client === message.n)
    const left = this.unsent.filter((message) => !there(message))
    if (left.length === this.unsent.length) return
    this.unsent = left
    this.changed()
  }

  changed() {
    keepStored(UNSENT, this.unsent)
    this.store.tell({ kind: "unsent" })
  }
}
