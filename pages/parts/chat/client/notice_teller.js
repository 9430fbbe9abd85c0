// @ts-check
// Tells the agent what has happened, by a sound and the browser's own notification: only the leader tab does, also
// while it is hidden, and each notice once in this browser.

import { keepLocally, keptLocally } from "./browser_storage.js"

/** @import { ChatStore } from "./chat_store.js" */
/** @import { Sound } from "./sound.js" */
/** @import { NoticeJson, WantedNoticesJson } from "./chat_types.js" */

const WANTED = "visitor-monitor-notices"
const TOLD = "visitor-monitor-told"
const MOST_KEPT = 200
const NOTHING = { kinds: [], minutes: 0, quiet_from: 0, quiet_until: 0, time_zone: "UTC" }
const CLOCK_WAS_SET = 60_000 // the server's clock is behind the newest revision by more than writing takes
const STAYS = ["cart", "checkout"]

export class NoticeTeller {
  /**
   * @param {Sound} sound
   * @param {ChatStore} store
   */
  constructor(sound, store) {
    this.sound = sound
    this.store = store
    this.since = Infinity // the newest revision when this tab was opened: what is older was told, or is not news
    store.subscribe(({ kind }) => {
      if (kind === "whole" && this.since === Infinity) this.since = store.revision
    })
    /** Has the other tabs make the sound too, of which one does. */
    this.ring = () => {}
    /** @type {(path: string) => void} */
    this.open = (path) => location.assign(path)
  }

  /**
   * What the agent has chosen. It is kept for all tabs: the leader may be one that was drawn long ago.
   * @param {WantedNoticesJson} wanted
   */
  set wanted(wanted) {
    keepLocally(WANTED, JSON.stringify(wanted))
  }

  /** @returns {WantedNoticesJson} */
  get wanted() {
    return parsed(WANTED, NOTHING)
  }

  /** Whether the browser has to be asked, which it takes only after a click. */
  get mustAsk() {
    return this.wanted.kinds.length > 0 && "Notification" in globalThis && Notification.permission === "default"
  }

  /** Whether the browser forbids notifications that the agent wants. */
  get isDenied() {
    return this.wanted.kinds.length > 0 && "Notification" in globalThis && Notification.permission === "denied"
  }

  async ask() {
    if (this.mustAsk) await Notification.requestPermission()
  }

  /** @param {NoticeJson[]} notices */
  tell(notices) {
    this.followClock()
    const { wanted } = this
    const told = new Set(parsed(TOLD, /** @type {string[]} */ ([])))
    const fresh = notices.filter((each) => each.revision > this.since && !told.has(each.id) && isWanted(each, wanted))
    if (!fresh.length) return
    keepLocally(TOLD, JSON.stringify([...told, ...fresh.map(({ id }) => id)].slice(-MOST_KEPT)))
    if (isQuiet(wanted, new Date())) return
    for (const notice of fresh) this.show(notice)
    this.sound.ring()
    this.ring()
  }

  /** Revisions follow the server's clock: once it was set back, those of new notices are lower. */
  followClock() {
    const now = this.store.now()
    if (this.since !== Infinity && now < this.since - CLOCK_WAS_SET) this.since = now - CLOCK_WAS_SET
  }

  /** @param {NoticeJson} notice */
  show({ id, title, text, path }) {
    try {
      const shown = new Notification(title, { body: text, tag: id })
      shown.onclick = () => {
        window.focus()
        shown.close()
        this.open(path)
      }
    } catch {
      // Not allowed; or a phone, whose browsers know none without a service worker: the sound remains.
    }
  }
}

/**
 * @param {NoticeJson} notice
 * @param {WantedNoticesJson} wanted
 */
function isWanted({ kind, minutes }, wanted) {
  return wanted.kinds.includes(kind) && (!STAYS.includes(kind) || minutes === wanted.minutes)
}

/**
 * Whether the moment lies in the quiet hours, which may go past midnight.
 * @param {WantedNoticesJson} wanted
 * @param {Date} now
 */
export function isQuiet({ quiet_from, quiet_until, time_zone }, now) {
  const clock = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "numeric", hourCycle: "h23", timeZone: time_zone })
  const part = Object.fromEntries(clock.formatToParts(now).map(({ type, value }) => [type, Number(value)]))
  const minute = part.hour * 60 + part.minute
  if (quiet_from <= quiet_until) return minute >= quiet_from && minute < quiet_until
  return minute >= quiet_from || minute < quiet_until
}

/**
 * @template Value
 * @param {string} name
 * @param {Value} fallback
 * @returns {Value}
 */
function parsed(name, fallback) {
  try {
    return JSON.parse(keptLocally(name) ?? "null") ?? fallback
  } catch {
    return fallback
  }
}
