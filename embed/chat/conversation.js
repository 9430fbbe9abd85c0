// @ts-check
/*
 * The conversation's state: what the collector has sent of it, what waits to be sent, and what the
 * browser stores of it for the next page. It sends nothing and draws nothing.
 */
import { INVITED, OVER } from '../core.js';
import { safe } from './safe.js';

/**
 * @import {ChatAnswer, ConversationUpdate, Host, Kept, KnownMessage, OutboxItem} from '../types.js'
 */

/** The key in the browser's storage, and the name of the lock and the channel of its tabs. */
export const KEY = 'vm-chat';

export class VisitorConversation {
  /** From resume() until stop(). */
  isBegun = false;
  /** What the site offers: 1 to chat, 2 to leave a message. */
  button = 0;
  /** The rule that has a text for a visitor who is about to leave. */
  exitRule = '';
  /** The token of the previous conversation. */
  forgotten = '-';
  /** The text in the field: it belongs to this conversation, or goes into the first one. */
  draft = '';
  /** What this tab had stored on the previous page. @type {Kept} */
  kept;
  /** What it has stored now, as text. @type {string | undefined} */
  keptText;

  /** The secret that gives access to the conversation. @type {string} */
  token;
  /** The newest update. @type {Omit<ConversationUpdate, 'm'> & {state: string, read: number}} */
  chat;
  /** By their numbers. @type {KnownMessage[]} */
  messages;
  /** Nothing up to this revision is missing. @type {number} */
  cursor;
  /** In the order in which it is to be sent. @type {OutboxItem[]} */
  outbox;
  /** Messages that the collector refuses for good. @type {OutboxItem[]} */
  lost;
  /** The visitor's end of it, until the collector confirms: 'dismissed' or 'ended'. @type {string} */
  parting;
  /** Not minimised. @type {boolean} */
  isOpen;
  /** The visitor wants to chat. @type {boolean} */
  isJoined;
  /** The question "End this chat?" is shown. @type {boolean} */
  isEnding;
  /** The moment until which the agent counts as typing. @type {number} */
  typingUntil = 0;

  /**
   * @param {Host} host
   * @param {Kept} [kept]
   */
  constructor(host, kept = {}) {
    this.host = host;
    this.kept = kept;
    this.forget();
  }

  forget() {
    this.chat = { id: 0, read: 0, state: '' };
    this.messages = [];
    this.outbox = this.outbox?.filter((item) => item.c) || [];
    this.lost = [];
    this.cursor = 0;
    this.token = this.parting = '';
    this.isOpen = this.isJoined = this.isEnding = false;
  }

  /**
   * Make this the conversation; what was written without one goes into it.
   *
   * @param {string} token
   */
  adopt(token) {
    const unsent = this.token ? this.outbox.filter((item) => item.c) : this.outbox;
    if (this.token) this.draft = '';
    this.forget();
    this.outbox = unsent;
    this.token = token;
    this.isOpen = true;
  }

  /** @param {string | undefined} token of another page or tab */
  isNews(token) {
    return !this.token && token !== this.forgotten;
  }

  /** @param {string} [state] */
  isOver(state = this.chat.state) {
    return OVER.test(state);
  }

  isInvited() {
    return INVITED.test(this.chat.state) && !this.isJoined;
  }

  /**
   * Apply an update of the collector or of another tab.
   *
   * @param {ConversationUpdate} update
   * @param {number} [upTo] nothing up to this revision is missing
   */
  merge(update, upTo = 0) {
    for (const message of update.m) {
      message.at ??= this.messages[message.n]?.at || Date.now() - (message.o || 0) * 1000;
      this.messages[message.n] = message;
      this.outbox = this.outbox.filter((item) => item.n !== message.i);
    }
    this.cursor = Math.max(this.cursor, upTo);
    if (update.id < this.chat.id) return;
    const read = Math.max(this.chat.read, update.read || 0);
    // What was sent before the visitor's rating arrived does not take it back: the first one holds.
    this.chat = { ...this.chat, ...update, read, g: this.chat.g || update.g };
    if (this.chat.state === 'open') this.isJoined = true;
    if (update.no) this.button = 0;
    if ('typing' in update) this.typingUntil = Date.now() + (update.typing || 0);
  }

  /**
   * Apply the answer to what was sent.
   *
   * @param {OutboxItem} item
   * @param {ChatAnswer} [answer] undefined: the collector refuses it for good
   */
  answered(item, answer) {
    const { at, n, x } = item;
    /** @type {Partial<ChatAnswer>} */
    const news = (!item.c && answer) || {};
    const { id, state, number = 0, c: opened } = news;
    if (!answer && item.e) this.chat.e = ''; // a collector that takes none promises none
    if (x && !answer) {
      this.lost.push(item);
      this.button = 0; // until the next beacon says what there is
    }
    if (opened) this.token = opened;
    this.keep();
    // When the visit already had a conversation, the message is sent again in it and gets a number.
    const isTaken = !opened || state === 'left';
    if (isTaken) this.outbox = this.outbox.filter((one) => one !== item);
    const isNew = x && isTaken && answer && !this.messages[number];
    const m = isNew ? [{ n: number || 1, a: 0, x, i: n, at }] : [];
    this.merge(id !== undefined && state ? { id, state, m } : { id: -1, m });
  }

  /** The conversation is over: nothing more is sent in it. */
  close() {
    this.forgotten = this.token || this.forgotten;
    this.token = '';
    if (this.chat.state === 'left') {
      this.parting = ''; // who ends a chat that is answered by mail reads so
      // A message that came too late for the one that was left opens the next conversation.
      for (const item of this.outbox) item.do = item.c ? item.do : 'open';
    } else {
      this.lost.push(...this.outbox.filter((item) => item.x));
      this.outbox = this.outbox.filter((item) => item.c);
      if (!this.chat.g) this.draft = ''; // else it says why
    }
  }

  /**
   * What to send of an address or a rating: also of a conversation that has ended.
   *
   * @param {'email' | 'rate'} action
   * @param {Pick<OutboxItem, 'e' | 'g' | 'why'>} fields
   * @returns {OutboxItem}
   */
  addBeside(action, fields) {
    this.chat = { ...this.chat, ...fields };
    return { do: action, c: this.token || this.forgotten, ...fields };
  }

  /**
   * Note that the visitor sees the conversation as it is now.
   *
   * @returns {OutboxItem | undefined} what to send to the collector
   */
  markSeen() {
    const state = this.parting || this.chat.state;
    if (/^(queued|delivered)$/.test(state)) {
      this.chat.state = 'shown';
      return { do: 'shown' };
    }
    const newest = this.unread().pop();
    if (state !== 'open' || !newest) return undefined;
    this.chat.read = newest.n;
    return { do: 'read', to: newest.n };
  }

  unread() {
    return this.messages.filter((message) => message.a && message.n > this.chat.read);
  }

  /** Whether the visitor needs to see nothing of it any more. */
  isDone() {
    const { chat, isOpen, isJoined, lost, parting } = this;
    const state = parting || chat.state;
    if (!this.isOver(state)) return false;
    if (isOpen) return !isJoined && /dismissed|expired/.test(state);
    return !isJoined || !(this.unread().length || lost.length);
  }

  // The other tabs, and the next page

  /** All that another tab needs to show the same. */
  snapshot() {
    const typing = this.typingUntil - Date.now();
    return { c: this.token, o: this.cursor, u: { ...this.chat, typing, m: this.messages.filter(Boolean) } };
  }

  /** Restore what this tab had stored on the previous page. */
  resume() {
    this.isBegun = true;
    const { c: token, o: outbox = {}, d: draft = '', s: isOpen = false } = this.kept;
    if (token && !this.host.read(KEY)?.startsWith(token)) return;
    this.outbox = Object.values(outbox);
    this.draft = draft;
    this.isOpen = isOpen;
  }

  /** The conversation of another page or tab, if it is new here. */
  found() {
    const [, token, isMinimised] = /^(\w+)(-?)$/.exec(this.host.read(KEY) || '') || [];
    if (!token || !this.isNews(token)) return undefined;
    return { token, isOpen: token === this.kept.c ? !!this.kept.s : !isMinimised };
  }

  keep() {
    const { draft: d, host, isOpen: s, outbox, token: c } = this;
    const text = c || outbox.length || d ? host.json({ c, o: { ...outbox }, d, s }) : '';
    if (text === this.keptText || !host.isStoring()) return;
    this.keptText = text;
    safe(() => (text ? (sessionStorage[KEY] = text) : delete sessionStorage[KEY]))();
    // Without a token this makes the next page load the chat, to send a message that opens one.
    if (c || outbox.length) host.write(KEY, c + (s && c ? '' : '-'));
    else if (host.read(KEY)?.startsWith(this.forgotten)) host.write(KEY);
  }

  stop() {
    this.forget();
    this.outbox = [];
    this.draft = '';
    this.kept = {};
    this.keep();
    this.button = 0;
    this.exitRule = '';
    this.isBegun = false;
  }
}
