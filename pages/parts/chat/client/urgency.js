// @ts-check
// The order of conversations: who is to be answered first.

/** @import { ChatStore } from "./chat_store.js" */
/** @import { ConversationJson } from "./chat_types.js" */

/**
 * Those that wait for me first, then those that have waited longest, then the newest; below them whoever has gone.
 * @param {ChatStore} store
 */
export function byUrgency(store) {
  /** @param {ConversationJson} each */
  const rank = (each) => (each.phase === "open" && each.gone_at ? 2 : store.waitsForMe(each) ? 0 : 1)
  /** @param {ConversationJson} each */
  const waiting = (each) =>
    (store.isForMe(each) && (each.waiting_since ?? each.vacated_at ?? each.given_at)) || Infinity
  /** @param {ConversationJson} each */
  const newest = (each) => each.message_at ?? each.created_at
  /**
   * @param {ConversationJson} one
   * @param {ConversationJson} other
   */
  return (one, other) => {
    if (rank(one) !== rank(other)) return rank(one) - rank(other)
    if (waiting(one) !== waiting(other)) return waiting(one) - waiting(other)
    return newest(other) - newest(one) || (one.id < other.id ? -1 : 1)
  }
}

/**
 * The one that waits for me and comes first.
 * @param {ChatStore} store
 */
export const mostUrgent = (store) =>
  [...store.conversations.values()].filter((each) => store.waitsForMe(each)).sort(byUrgency(store)).at(0)
