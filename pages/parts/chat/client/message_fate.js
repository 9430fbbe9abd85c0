// @ts-check
// What stands below a message: how far it has come, and if it was refused, the ways out.

import { make, setText } from "../../table/elements.js"

/** @import { MailJson, UnsentMessage } from "./chat_types.js" */
/** @import { Outbox } from "./outbox.js" */

/**
 * Show that it is being sent, or was refused with buttons for both ways out, or nothing.
 * @param {HTMLElement} fate
 * @param {UnsentMessage | undefined} unsent
 * @param {Outbox} outbox
 */
export function showFate(fate, unsent, outbox) {
  if (!isNew(fate, unsent ? unsent.error || "sending" : "") || !unsent) return
  if (!unsent.error) return setText(fate, "Sending …")
  setText(make("span", "why", fate), `Not sent. ${unsent.error}`)
  makeButton(fate, "Try again", () => outbox.retry(unsent.n))
  makeButton(fate, "Remove", () => outbox.drop(unsent.n))
}

/**
 * Show how far the mail has come, and why not further.
 * @param {HTMLElement} fate
 * @param {number} number of the message
 * @param {MailJson} mail
 * @param {(number: number) => void} again
 */
export function showMailFate(fate, number, { state, fault }, again) {
  if (!isNew(fate, `${state} ${fault}`)) return
  if (state === "sent") return setText(fate, "Sent by e-mail")
  if (state === "on_its_way" && !fault) return setText(fate, "By e-mail, on its way …")
  const text = state === "not_sent" ? `Not sent by e-mail. ${fault}` : `Not sent by e-mail yet. ${fault} It is tried again.`
  setText(make("span", "why", fate), text)
  if (state === "not_sent") makeButton(fate, "Try again", () => again(number))
}

/**
 * Whether something else is shown from now on; then the place is empty.
 * @param {HTMLElement} fate
 * @param {string} wanted
 */
function isNew(fate, wanted) {
  if (fate.dataset.shown === wanted) return false
  fate.dataset.shown = wanted
  fate.replaceChildren()
  return true
}

/**
 * @param {HTMLElement} parent
 * @param {string} text
 * @param {() => void} act
 */
function makeButton(parent, text, act) {
  const button = make("button", "link", parent)
  button.type = "button"
  setText(button, text)
  button.addEventListener("click", act)
}
