// @ts-check
// The sound of a new message, for agents who want one.

import { keepLocally, keptLocally } from "./browser_storage.js"
import { newId } from "./random_id.js"

/** @import { ChatStore } from "./chat_store.js" */
/** @import { MessageJson, StoreEvent } from "./chat_types.js" */

const SOUND = "visitor-monitor-sound"
const ACTIVE_TAB = "visitor-monitor-tab"

export class Sound {
  /** @param {ChatStore} store */
  constructor(store) {
    this.store = store
    /** @type {Set<() => void>} Called when it is switched. */
    this.listeners = new Set()
    /** @type {AudioContext | undefined} */
    this.context = undefined
    this.tab = newId()
    const used = () => this.markActive()
    for (const event of ["focus", "pointerdown", "keydown"]) addEventListener(event, used, true)
    if (document.hasFocus()) this.markActive()
    store.subscribe((event) => this.receive(event))
  }

  get isOn() {
    return keptLocally(SOUND) === "on"
  }

  set isOn(isOn) {
    keepLocally(SOUND, isOn ? "on" : "off")
    if (isOn) this.play()
    for (const listener of this.listeners) listener()
  }

  /** The tab that was used last makes the sound: one is enough, and browsers allow it in no other. */
  markActive() {
    keepLocally(ACTIVE_TAB, this.tab)
    if (this.isOn && this.context?.state !== "running") this.wakeUp()
  }

  async wakeUp() {
    this.context ??= new AudioContext()
    await this.context.resume()
    return this.context
  }

  /** @param {StoreEvent} event */
  receive(event) {
    if (event.kind !== "news" || event.isOld) return
    if (!this.isOn || keptLocally(ACTIVE_TAB) !== this.tab) return
    const { store } = this
    /** @param {MessageJson} message */
    const isForMe = (message) => {
      const conversation = store.conversations.get(`${message.site} ${message.id}`)
      return conversation && store.isForMe(conversation)
    }
    const isAnswered = event.moved.some((each) => each.phase === "open" && store.isForMe(each))
    if (isAnswered || event.offered.length || event.spoken.some(isForMe)) this.play()
  }

  /** For what happened elsewhere than in this tab: each tab of the browser is asked, and one makes the sound. */
  ring() {
    if (this.isOn && keptLocally(ACTIVE_TAB) === this.tab) this.play()
  }

  /** Two soft tones, 0.3 s. */
  async play() {
    try {
      const context = await this.wakeUp()
      const { currentTime: now, destination } = context
      ;[659, 880].forEach((pitch, index) => {
        const tone = new OscillatorNode(context, { frequency: pitch })
        const volume = new GainNode(context, { gain: 0 })
        const at = now + index * 0.12
        volume.gain.linearRampToValueAtTime(0, at)
        volume.gain.linearRampToValueAtTime(0.12, at + 0.02)
        volume.gain.linearRampToValueAtTime(0, at + 0.18)
        tone.connect(volume).connect(destination)
        tone.start(at)
        tone.stop(at + 0.2)
      })
    } catch {
      // The browser allows no sound.
    }
  }
}
