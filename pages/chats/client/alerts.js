// What an agent notices without looking: the number in the tab's title, a line in the sidebar, and
// a sound for those who want one.

const SOUND = "visitor-monitor-sound"
const ACTIVE_TAB = "visitor-monitor-tab"

// Streamlit sets the title at every run: the number is put before it again.
class TitleCount {
  constructor(store) {
    this.store = store
    new MutationObserver(() => this.show()).observe(document.head, {
      subtree: true,
      childList: true,
      characterData: true,
    })
    store.listen(() => this.show())
    this.show()
  }

  show() {
    const count = this.store.waiting()
    const plain = document.title.replace(/^\(\d+\) /, "")
    const wanted = count ? `(${count}) ${plain}` : plain
    if (document.title !== wanted) document.title = wanted
  }
}

class Sound {
  constructor(store) {
    this.store = store
    this.listeners = new Set()
    this.tab = newId()
    const used = () => this.markActive()
    for (const event of ["focus", "pointerdown", "keydown"]) addEventListener(event, used, true)
    if (document.hasFocus()) this.markActive()
    store.listen((what) => this.hear(what))
  }

  get isOn() {
    return keptLocally(SOUND) === "on"
  }

  set isOn(isOn) {
    keepLocally(SOUND, isOn ? "on" : "off")
    if (isOn) this.play()
    for (const listener of this.listeners) listener()
  }

  // The tab that was used last makes the sound: one is enough, and browsers allow it to no other.
  markActive() {
    keepLocally(ACTIVE_TAB, this.tab)
    if (this.isOn && this.context?.state !== "running") this.wakeUp()
  }

  wakeUp() {
    this.context ??= new AudioContext()
    return this.context.resume()
  }

  hear({ kind, moved, spoken, isOld }) {
    if (kind !== "news" || isOld || !this.isOn || keptLocally(ACTIVE_TAB) !== this.tab) return
    const { store } = this
    const isForMe = (message) => {
      const conversation = store.conversations.get(`${message.site} ${message.id}`)
      return conversation && store.isForMe(conversation)
    }
    const isAnswered = moved.some((each) => each.state === "open" && store.isForMe(each))
    if (isAnswered || spoken.some(isForMe)) this.play()
  }

  // Two soft tones, 0.3 s.
  async play() {
    try {
      await this.wakeUp()
      const { currentTime: now, destination } = this.context
      ;[659, 880].forEach((pitch, index) => {
        const tone = new OscillatorNode(this.context, { frequency: pitch })
        const volume = new GainNode(this.context, { gain: 0 })
        const at = now + index * 0.12
        volume.gain.linearRampToValueAtTime(0, at)
        volume.gain.linearRampToValueAtTime(0.12, at + 0.02)
        volume.gain.linearRampToValueAtTime(0, at + 0.18)
        tone.connect(volume).connect(destination)
        tone.start(at)
        tone.stop(at + 0.2)
      })
    } catch {
      // A browser that makes no sound.
    }
  }
}

class SoundSwitch {
  constructor(parent, sound) {
    this.sound = sound
    this.button = make("button", "act quiet sound", parent)
    this.button.type = "button"
    this.button.addEventListener("click", () => {
      sound.isOn = !sound.isOn
    })
    sound.listeners.add(() => this.show())
    this.show()
  }

  show() {
    const { isOn } = this.sound
    setText(this.button, isOn ? "Sound on" : "Sound off")
    this.button.setAttribute("aria-pressed", String(isOn))
    this.button.title = "A sound for a new message and an accepted invitation"
  }
}

// The line in the sidebar.
class Alerts {
  constructor(parent, app) {
    this.app = app
    this.root = make("div", "chat-root alerts", parent)
    this.button = make("button", "waiting", this.root)
    this.button.type = "button"
    this.count = make("span", "count", this.button)
    this.words = make("span", "", this.button)
    this.button.addEventListener("click", () => this.trigger("opened", newId()))
    this.known = keyInCookie()
  }

  refresh({ data, setTriggerValue }) {
    this.trigger = setTriggerValue
    this.key = data.agent?.key ?? ""
    if (data.agent) this.app.line.start(data.agent)
    this.tellKey()
    this.show()
  }

  // A session that began before this browser's agent had a name learns it now.
  tellKey() {
    const key = keyInCookie()
    if (key && key !== this.key && key !== this.told) {
      this.told = key
      this.trigger("known", key)
    }
  }

  hear({ kind }) {
    if (kind === "named") this.tellKey()
    this.show()
  }

  show() {
    const count = this.app.store.waiting()
    this.button.hidden = count === 0
    setText(this.count, String(count))
    setText(this.words, count === 1 ? "visitor waits for you" : "visitors wait for you")
  }

  tick() {}

  stop() {}
}

function keptLocally(name) {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function keepLocally(name, value) {
  try {
    localStorage.setItem(name, value)
  } catch {
    // It is kept for nobody else.
  }
}
