// Redraws what contains it when a conversation of its site begins, is answered or ends. It draws
// nothing itself.

const PULSES = new WeakMap()
const STORE = Symbol.for("visitor-monitor-chats")
const AT_MOST_EVERY = 1_000

export default function draw({ parentElement, data, setStateValue }) {
  let pulse = PULSES.get(parentElement)
  if (!pulse) {
    pulse = new Pulse()
    PULSES.set(parentElement, pulse)
  }
  pulse.site = data.site
  pulse.send = setStateValue
  return () => {
    pulse.stop()
    PULSES.delete(parentElement)
  }
}

class Pulse {
  constructor() {
    this.listen = () => {
      this.unlisten ??= window[STORE]?.listen((what) => this.hear(what))
    }
    this.listen()
    window.addEventListener("visitor-monitor-chats", this.listen)
  }

  hear({ kind, moved, isOld }) {
    if (kind !== "news" || isOld) return
    const revisions = moved.filter(({ site }) => site === this.site).map(({ revision }) => revision)
    this.newest = Math.max(this.newest ?? 0, ...revisions)
    if (revisions.length) this.timer ??= setTimeout(() => this.tell(), this.wait())
  }

  wait() {
    return Math.max(0, AT_MOST_EVERY - (Date.now() - (this.toldAt ?? 0)))
  }

  tell() {
    this.timer = null
    this.toldAt = Date.now()
    this.send("revision", this.newest)
  }

  stop() {
    clearTimeout(this.timer)
    this.unlisten?.()
    window.removeEventListener("visitor-monitor-chats", this.listen)
  }
}
