// @ts-check
/* What the dialog shows of a conversation. */
import { INVITED } from '../core.js';

/**
 * @import {VisitorConversation} from './conversation.js'
 * @import {KnownMessage, OutboxItem} from '../types.js'
 */

const LATE_AFTER = 2_000;

/**
 * What the dialog shows of it.
 *
 * @typedef {object} ConversationView
 * @property {string} state '' without a conversation
 * @property {string} [from] the agent's name
 * @property {'invited' | 'over' | 'ending' | 'talking'} step what the visitor can do now
 * @property {boolean} isDialog
 * @property {boolean} isPill
 * @property {boolean} isTall
 * @property {boolean} isAway no agent is there: the visitor can leave a message
 * @property {number} waits how long the oldest message without an answer has waited, in milliseconds
 * @property {boolean} isAnswered an agent has said something
 * @property {string} vacatedBy the agent who had to go
 * @property {string} email where the visitor wants the answer
 * @property {string} rating
 * @property {boolean} isTyping
 * @property {boolean} isRefused what was to begin a chat is not taken
 * @property {boolean} isUnsent
 * @property {boolean} isLate something has waited long to be sent
 * @property {number} unread
 * @property {LogLine[]} lines
 */

/**
 * @typedef {object} LogLine
 * @property {string | number} key
 * @property {boolean} isMine
 * @property {string} [from] the agent's name
 * @property {string} text
 * @property {number} [at] when it was sent
 * @property {boolean} [isSeen] the newest that an agent has read
 * @property {boolean} [isLost] it was not sent and will not be
 */

/**
 * @param {VisitorConversation} conversation
 * @returns {ConversationView}
 */
export function viewOf(conversation) {
  const { button, chat, isJoined, isOpen, lost, messages, outbox, parting, token } = conversation;
  const state = parting || chat.state;
  const unsent = outbox.filter((item) => item.x);
  const isDone = conversation.isDone();
  const isInvited = INVITED.test(state) && !isJoined;
  const isAway = state === 'left' || (!state && button === 2);
  const isPending = lost.length + unsent.length > 0;
  const said = messages.filter(Boolean);
  const seen = said.filter((message) => !message.a && message.n <= (chat.seen || 0)).pop();
  const answered = said.filter((message) => message.a).pop();
  const waiting = state === 'open' && said.find((message) => message.n > (answered?.n || 0));
  const isDialog = isOpen && !isDone && !!(state || (!token && (button || isPending)));
  return {
    state,
    from: chat.from,
    step: isInvited ? 'invited' : conversation.isOver(state) ? 'over' : conversation.isEnding ? 'ending' : 'talking',
    isDialog,
    isPill: !isDialog && !isDone && !!(state || (button && !token)),
    isTall: !isInvited && !isAway && !!(state || isPending),
    isAway,
    waits: waiting ? Date.now() - /** @type {number} */ (waiting.at) : 0,
    isAnswered: !!answered,
    vacatedBy: (chat.v && answered?.f) || '',
    email: chat.e || '',
    rating: chat.g || '',
    isTyping: conversation.typingUntil > Date.now(),
    isRefused: !state && lost.length > 0,
    isUnsent: unsent.length > 0,
    isLate: unsent.some((item) => /** @type {number} */ (item.at) < Date.now() - LATE_AFTER),
    unread: conversation.unread().length,
    lines: [
      ...said.map((message) => messageLine(message, seen)),
      ...lost.map((item) => ({ ...unsentLine(item), isLost: true })),
      ...unsent.map(unsentLine),
    ],
  };
}

/**
 * @param {KnownMessage} message
 * @param {KnownMessage} [seen] the newest that an agent has read
 * @returns {LogLine}
 */
function messageLine(message, seen) {
  const { n, a, x: text, i, f: from, at } = message;
  return a
    ? { key: n, isMine: false, from, text, at }
    : { key: i || n, isMine: true, text, at, isSeen: message === seen };
}

/**
 * @param {OutboxItem} item
 * @returns {LogLine}
 */
function unsentLine({ n = '', x = '', at }) {
  return { key: n, isMine: true, text: x, at };
}
