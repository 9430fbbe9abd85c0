// @ts-check
// A stream of the server's events, connected anew after each loss; see pages/server/event_stream.py.

import { retryWait } from "./retry_wait.js"

const HELLO_WITHIN = 5_000

/**
 * @typedef {object} StreamEvents
 * @property {(hello: any) => void} hello the stream is up
 * @property {(news: any) => void} news
 * @property {(beat: any) => void} beat a sign of life
 * @property {() => void} lost it is tried again
 * @property {() => void} heldBack nothing has come within some seconds, as behind some proxies
 */

export class ServerStream {
  /**
   * @param {() => string} address
   * @param {number} silentFor milliseconds without a sign after which a connection is dead
   * @param {StreamEvents} events
   */
  constructor(address, silentFor, events) {
    this.address = address
    this.silentFor = silentFor
    this.events = events
    this.faults = 0
    /** @type {EventSource | null} */
    this.source = null
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
  }

  connect() {
    this.disconnect()
    this.source = new EventSource(this.address())
    const { source, events } = this
    source.addEventListener("hello", ({ data }) => this.isUp(JSON.parse(data)))
    source.addEventListener("beat", ({ data }) => events.beat(JSON.parse(data)))
    source.addEventListener("message", ({ data }) => events.news(JSON.parse(data)))
    source.addEventListener("error", () => this.failed(source))
    this.timer = setTimeout(() => events.heldBack(), HELLO_WITHIN)
  }

  disconnect() {
    clearTimeout(this.timer)
    this.source?.close()
    this.source = null
  }

  /** @param {any} hello */
  isUp(hello) {
    clearTimeout(this.timer)
    this.faults = 0
    this.events.hello(hello)
  }

  /**
   * A browser reconnects by itself after a lost connection, not after a refusal.
   * @param {EventSource} source
   */
  failed(source) {
    if (source !== this.source) return
    clearTimeout(this.timer)
    this.events.lost()
    const wait = source.readyState === EventSource.CLOSED ? this.wait() : this.silentFor
    this.timer = setTimeout(() => this.connect(), wait)
  }

  /** Milliseconds until another try, longer with each fault. */
  wait() {
    return retryWait(this.faults++) * (0.75 + Math.random() / 2)
  }
}
