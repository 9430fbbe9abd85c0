// @ts-check
// Of all tabs of this browser one leads: it holds the lock, has the stream, and sends the others what
// comes. When it closes, the next tab leads. One stream is enough for all tabs because browsers allow
// only six connections to a host.

/**
 * @template Message
 * @typedef {object} TabEvents
 * @property {() => void} lead this tab leads from now on
 * @property {() => void} follow another tab leads from now on
 * @property {(message: Message) => void} receive
 */

/** @template Message */
export class LeaderTab {
  /**
   * @param {string} name of the lock and of the channel between the tabs
   * @param {TabEvents<Message>} events
   */
  constructor(name, events) {
    this.name = name
    this.events = events
    this.isLeader = false
    this.channel = new BroadcastChannel(name)
    this.channel.onmessage = ({ data }) => events.receive(data)
  }

  /** Lead as soon as no other tab does; or with `steal` at once, when the leader is asleep. */
  queue(steal = false) {
    const lock = navigator.locks ? navigator.locks.request(this.name, { steal }, () => this.lead()) : this.lead()
    lock.catch((error) => {
      // Another tab took the lock while this one was asleep; else there are no locks for this page.
      if (error.name === "AbortError") this.follow()
      else this.lead()
    })
  }

  /**
   * Hold the lock until the page is closed.
   * @returns {Promise<void>}
   */
  lead() {
    this.isLeader = true
    this.events.lead()
    return new Promise(() => {})
  }

  follow() {
    this.isLeader = false
    this.events.follow()
  }

  /** @param {Message} message */
  send(message) {
    this.channel.postMessage(message)
  }

  /** @param {Message} message for the tabs that follow; only the leader sends it */
  broadcast(message) {
    if (this.isLeader) this.send(message)
  }
}
