// @ts-check
// Texts for the state of the connection, for moments, and for what is too long.

import { excessOf } from "../../../../embed/chat/text.js"

/** @import { ConnectionStatus } from "./chat_types.js" */

/** @type {Partial<Record<ConnectionStatus, string>>} */
export const STATUS = {
  lost: "The connection is lost. Trying again; what you write is sent when it is back.",
  late: "What visitors write comes late: the dashboard cannot follow the chats. Its log says why.",
  connecting: "Connecting …",
}

/** @param {number} moment */
export const timeOf = (moment) =>
  new Date(moment).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })

/** @param {number} moment */
export const dayOf = (moment) =>
  new Date(moment).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" })

/**
 * How many characters of a text are too many, in words; "" if it fits.
 *
 * @param {string} text
 * @param {number} longest
 */
export function excessNote(text, longest) {
  const excess = excessOf(text, longest)
  return excess > 0 ? `Characters too many: ${excess}` : ""
}
