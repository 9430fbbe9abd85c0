// The field to answer in, and the replies that a site keeps ready.

const LONGEST_MESSAGE = 2_000
const TYPING_EVERY = 3_000

class Composer {
  constructor(parent, panel) {
    this.app = panel.app
    this.panel = panel
    this.key = ""
    this.template = ""
    this.node = make("form", "composer", parent)
    this.field = make("textarea", "", this.node)
    this.field.rows = 1
    this.field.maxLength = LONGEST_MESSAGE
    this.field.placeholder = "Write a message"
    this.field.setAttribute("aria-label", "Message")
    this.field.setAttribute("aria-keyshortcuts", "Enter")
    const foot = make("div", "foot", this.node)
    this.replies = new Replies(foot, this)
    this.hint = make("span", "hint", foot)
    setText(this.hint, "Enter sends, Shift+Enter begins a new line")
    this.button = make("button", "act primary send", foot)
    this.button.type = "submit"
    setText(this.button, "Send")
    this.node.addEventListener("submit", (event) => this.submit(event))
    this.field.addEventListener("keydown", (event) => this.keydown(event))
    this.field.addEventListener("input", () => this.changed())
  }

  open(key) {
    this.key = key
    this.template = ""
    this.field.value = this.app.outbox.draftOf(key)
    this.fit()
  }

  leave() {
    if (this.key) this.app.outbox.keepDraft(this.key, this.field.value)
  }

  show(isOpen) {
    this.node.hidden = !isOpen
    this.replies.show(this.app.replies[this.key.split(" ")[0]] ?? [])
    this.fit()
  }

  focus() {
    this.field.focus({ preventScroll: true })
  }

  // Streamlit has keys of its own, such as r: they must not reach it from here. Enter that ends a
  // composition chooses a word.
  keydown(event) {
    if (event.key !== "Escape") event.stopPropagation()
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return
    this.submit(event)
  }

  submit(event) {
    event.preventDefault()
    const { conversation } = this.panel
    const text = this.field.value.trim()
    if (!text || !conversation) return
    this.field.value = ""
    this.app.outbox.keepDraft(this.key, "")
    this.app.outbox.send(conversation, text, this.template)
    this.template = ""
    this.fit()
    this.focus()
  }

  changed() {
    this.app.outbox.keepDraft(this.key, this.field.value)
    if (!this.field.value) this.template = ""
    this.fit()
    const { conversation } = this.panel
    const now = Date.now()
    if (!this.field.value.trim() || !conversation || now - (this.toldAt ?? 0) < TYPING_EVERY) return
    this.toldAt = now
    this.app.line.post("typing", { site: conversation.site, id: conversation.id })
  }

  // Where the cursor is; what was written stays.
  insert({ id, text }) {
    const { selectionStart, selectionEnd, value } = this.field
    const before = value.slice(0, selectionStart)
    const gap = before && !/\s$/.test(before) ? " " : ""
    this.field.setRangeText(gap + text, selectionStart, selectionEnd, "end")
    this.template = id
    this.changed()
    this.focus()
  }

  fit() {
    this.field.style.height = "auto"
    if (this.field.scrollHeight) this.field.style.height = `${this.field.scrollHeight + 2}px`
    this.button.disabled = !this.field.value.trim()
  }
}

class Replies {
  constructor(parent, composer) {
    this.composer = composer
    this.node = make("div", "replies", parent)
    this.button = make("button", "act quiet", this.node)
    this.button.type = "button"
    setText(this.button, "Replies")
    this.button.setAttribute("aria-haspopup", "menu")
    this.menu = make("div", "menu", this.node)
    this.menu.setAttribute("role", "menu")
    this.menu.setAttribute("aria-label", "Replies")
    this.close()
    this.button.addEventListener("click", () => (this.menu.hidden ? this.open() : this.close()))
    this.node.addEventListener("keydown", (event) => this.keydown(event))
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(event.relatedTarget)) this.close()
    })
  }

  show(replies) {
    this.node.hidden = replies.length === 0
    const wanted = JSON.stringify(replies)
    if (wanted === this.shown) return
    this.shown = wanted
    this.menu.replaceChildren()
    for (const reply of replies) {
      const item = make("button", "reply", this.menu)
      item.type = "button"
      item.tabIndex = -1
      item.setAttribute("role", "menuitem")
      setText(item, reply.text)
      item.addEventListener("click", () => {
        this.close()
        this.composer.insert(reply)
      })
    }
  }

  open() {
    this.menu.hidden = false
    this.button.setAttribute("aria-expanded", "true")
    this.menu.firstChild?.focus()
  }

  close() {
    this.menu.hidden = true
    this.button.setAttribute("aria-expanded", "false")
  }

  keydown(event) {
    if (this.menu.hidden) return
    const items = [...this.menu.children]
    const here = items.indexOf(this.node.getRootNode().activeElement)
    const there = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key]
    if (event.key === "Escape") {
      event.stopPropagation()
      this.close()
      this.button.focus()
    } else if (there !== undefined) {
      event.preventDefault()
      items[(there + items.length) % items.length].focus()
    }
  }
}
