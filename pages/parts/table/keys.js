// @ts-check
// Single-letter keys for the table, wherever on the page the focus is: not while somebody types, not
// beside a dialog, and not when they are switched off.

import { keepLocally, keptLocally } from "../chat/client/browser_storage.js"
import { OVERLAY } from "./elements.js"
import { KeyList } from "./key_list.js"

/** @import { DataTable } from "./table.js" */

const STORED_AS = "visitor-monitor-keys"
const OFF = "off"
const TYPED_INTO = "input, textarea, select, [contenteditable=true]"

/** Enter, which follows the focused link, is the browser's own. */
const KEYS = {
  "/": "Search",
  j: "Next visitor",
  k: "Previous visitor",
  Enter: "Open the visitor",
  "?": "Show these keys",
}

/** Where the rows have something to do. */
const ACTION_KEYS = { i: "Invite, or open the chat" }

export class TableKeys {
  /** @param {DataTable} table */
  constructor(table) {
    this.table = table
    this.canAct = table.columns.some(({ kind }) => kind === "action")
    this.list = new KeyList(table.root, this, this.canAct ? { ...KEYS, ...ACTION_KEYS } : KEYS)
    this.receive = this.receive.bind(this)
    document.addEventListener("keydown", this.receive, true)
  }

  stop() {
    document.removeEventListener("keydown", this.receive, true)
  }

  get areOn() {
    return keptLocally(STORED_AS) !== OFF
  }

  set areOn(areOn) {
    keepLocally(STORED_AS, areOn ? "on" : OFF)
  }

  /** @param {KeyboardEvent} event */
  receive(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event)) return
    const action = this.actionOf(event)
    if (!action || !this.areOn || this.isBehindOverlay() || !this.table.root.isConnected) return
    event.preventDefault()
    event.stopImmediatePropagation()
    action()
  }

  isBehindOverlay() {
    return document.querySelector(OVERLAY) !== null || this.list.dialog.open
  }

  /** @param {KeyboardEvent} event */
  actionOf({ key, repeat }) {
    const { table } = this
    /** @type {Record<string, () => unknown>} */
    const actions = {
      "/": () => table.toolbar?.search.focus(),
      j: () => table.move(1),
      k: () => table.move(-1),
      ...(this.canAct && { i: () => repeat || table.actOnCurrent() }),
      "?": () => this.list.open(),
    }
    return Object.hasOwn(actions, key) ? actions[key] : undefined
  }
}

/** @param {Event} event */
function isTyping(event) {
  const [target] = event.composedPath()
  return target instanceof Element && target.matches(TYPED_INTO) && !target.matches("[type=checkbox]")
}
