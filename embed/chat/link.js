// @ts-check
/*
 * What is sent and received. The outbox is sent in order, each item again until it is answered. One
 * tab of the browser, the leader, has a stream (or polls) and shares it with the others; there is no
 * stream while no tab is visible.
 */
import { KEY } from './conversation.js';
import { later, listen, parse, safe } from './safe.js';
import { REFUSED_FOR_GOOD, SILENT_FOR } from '../core.js';

/**
 * @import {ChatAction, ChatAnswer, ChatRequest, ConversationUpdate} from '../types.js'
 * @import {Host, OutboxItem, TabUpdate} from '../types.js'
 * @import {VisitorConversation} from './conversation.js'
 */

/**
 * What the link calls with what it receives.
 *
 * @typedef {object} Callbacks
 * @property {(item: OutboxItem, answer?: ChatAnswer) => void} answered
 * @property {(update: ConversationUpdate) => void} received an update of the collector
 * @property {(message: TabUpdate) => void} shared an update of another tab
 * @property {(status: number) => void} refused for good, with the status
 */

/**
 * It has its end when it is no longer the open one, whatever becomes of its request: browsers may
 * abandon one, so that neither an answer nor an abort settles it.
 *
 * @typedef {Partial<AbortController> & {end?: (value?: any) => void}} Connection
 */

const ANSWER_WITHIN = 10_000;
const UPDATE_WITHIN = 6_000; // else a proxy holds the stream back
const STREAM_AGAIN_AFTER = 120_000;
const POLL_AGAIN_AFTER = 200;
const LONGEST_PAUSE = 6_000;
const MOST_TRIES = 2; // of a message that the collector understands and refuses

/**
 * @param {Host} host
 * @param {VisitorConversation} conversation
 * @param {Callbacks} callbacks
 */
export function makeLink(host, conversation, callbacks) {
  const { fetch } = host;
  let isSending = false;
  /** Ends the pause before the next try. @type {((value?: any) => void) | undefined} */
  let endPause;
  /** Gives up on the answer that is waited for. @type {((value?: any) => void) | undefined} */
  let giveUp;
  let failures = 0;
  /** The stream or poll that is open, or waits for the lock. @type {Connection | null} */
  let connection = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let stallTimer;
  let streamAt = 0;
  /** @type {BroadcastChannel | null} */
  let channel = null;

  const flush = safe(sendAll);
  return { flush, post, retry, share, sleep, wake, closeChannel };

  // What is sent

  async function sendAll() {
    if (isSending) return;
    isSending = true;
    for (;;) {
      const [item] = conversation.outbox;
      if (!conversation.isBegun || !item || !(conversation.token || item.c || item.do === 'open')) break;
      await sendOne(item);
    }
    isSending = false;
  }

  /** @param {OutboxItem} item */
  async function sendOne(item) {
    const { token } = conversation;
    const reply = await answerOf(safe(postItem)(item));
    const [status, answer] = reply || [];
    if (token !== conversation.token) return;
    const isRefused = REFUSED_FOR_GOOD.test(/** @type {any} */ (status));
    if (isRefused && !item.c) return callbacks.refused(/** @type {number} */ (status));
    const isHopeless = isRefused || status === 400 || (status === 409 && (!item.x || failures >= MOST_TRIES));
    if (!answer && !isHopeless) return pause();
    if (failures) sleep(); // the collector is back
    failures = 0;
    callbacks.answered(item, answer);
    wake();
  }

  /**
   * What the collector says to it; undefined when it was not reached.
   *
   * @param {OutboxItem} item
   * @returns {Promise<[status: number, answer: ChatAnswer | undefined]>}
   */
  async function postItem({ do: action, c = conversation.token, n, x, to, e, g, why }) {
    const reply = await (c
      ? post(action === 'open' ? 'send' : action, { c, n, x: x || why, to, e, g })
      : post('open', { n, x, e, s: host.visit(), t: host.tab }));
    return [reply.status, reply.status === 200 && (await reply.json())];
  }

  /**
   * The answer, or undefined once it is given up on.
   *
   * @template Answer
   * @param {Promise<Answer>} request
   * @returns {Promise<Answer | undefined>}
   */
  function answerOf(request) {
    return new Promise((done) => {
      later((giveUp = done), ANSWER_WITHIN);
      request.then(done);
    });
  }

  /** @returns {Promise<void>} */
  function pause() {
    return new Promise((done) => later((endPause = done), backoff()));
  }

  function backoff() {
    return Math.min(1000 * 2 ** failures++, LONGEST_PAUSE) * (0.5 + Math.random());
  }

  /**
   * @param {ChatAction} action
   * @param {ChatRequest & {c?: string}} [fields] c: another conversation's token
   * @param {Connection} [own]
   */
  function post(action, fields, own) {
    return fetch(host.base + '/v1/conversation/' + action, {
      method: 'POST',
      body: host.json({ v: 1, k: host.site, c: conversation.token || undefined, ...fields }),
      keepalive: !own,
      credentials: 'omit',
      signal: own?.signal,
    });
  }

  /** Start again, as if nothing had failed. */
  function retry() {
    sleep();
    failures = 0;
    endPause?.();
    // Back on a page that was kept, Firefox never settles what was under way.
    if (!host.ask('hidden')) giveUp?.();
  }

  // What is received

  /** Connect, if there is a conversation and the page is visible. */
  function wake() {
    if (!conversation.isBegun || host.ask('hidden')) return;
    if (!channel && host.isStoring()) safe(openChannel)();
    if (connection || !conversation.token) return;
    /** @type {Connection} */
    const own = (connection = safe(() => new AbortController())() || {});
    const lead = () =>
      own !== connection || // after the lock was granted, before this call
      new Promise((end) => {
        own.end = end;
        safe(follow)(own);
      });
    if (!channel || !navigator.locks) return void lead();
    channel.postMessage({ c: conversation.token });
    navigator.locks.request(KEY, { signal: own.signal }, lead).catch(safe);
  }

  function sleep() {
    clearTimeout(stallTimer);
    connection?.end?.();
    connection?.abort?.();
    connection = null;
  }

  /** @param {Connection} own */
  async function follow(own) {
    while (own === connection) {
      const isStream = Date.now() >= streamAt;
      if (isStream) streamAt = Date.now() + STREAM_AGAIN_AFTER; // unless the stream brings something
      let isAnswered = false;
      expect(isStream ? UPDATE_WITHIN : SILENT_FOR);
      try {
        const reply = await post(isStream ? 'stream' : 'poll', { after: conversation.cursor }, own);
        const { status } = reply;
        isAnswered = reply.ok;
        if (own !== connection) return; // its conversation has ended meanwhile
        if (REFUSED_FOR_GOOD.test(/** @type {any} */ (status))) return callbacks.refused(status);
        if (isAnswered) failures = 0;
        if (status === 200) await (isStream ? readStream(reply, own) : take(own, reply.json()));
      } catch {
        // The connection broke: try again.
      }
      if (own !== connection) return;
      clearTimeout(stallTimer);
      const wait = isStream || !isAnswered ? backoff() : POLL_AGAIN_AFTER;
      await new Promise((done) => later(done, wait));
    }
  }

  /**
   * Nothing brings a conversation back that has ended while it was read.
   *
   * @param {Connection} own
   * @param {Promise<ConversationUpdate>} update
   */
  async function take(own, update) {
    const news = await update;
    if (own === connection) callbacks.received(news);
  }

  /**
   * @param {Response} reply
   * @param {Connection} own
   */
  async function readStream(reply, own) {
    const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (reply.body).getReader();
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done || own !== connection) return;
      expect(SILENT_FOR);
      streamAt = 0;
      const parts = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = parts.pop() || '';
      for (const part of parts) if (part.startsWith('data')) await take(own, parse(part.slice(5)));
    }
  }

  /** Reconnect unless something comes within this time. @param {number} wait */
  function expect(wait) {
    clearTimeout(stallTimer);
    stallTimer = later(() => {
      sleep();
      wake();
    }, wait);
  }

  // The other tabs

  function openChannel() {
    channel = new BroadcastChannel(KEY);
    listen(channel, 'message', ({ data }) => callbacks.shared(data));
  }

  /** Browsers do not keep a page with an open channel for Back. */
  function closeChannel() {
    channel?.close();
    channel = null;
  }

  /** Send the other tabs the whole state. */
  function share() {
    channel?.postMessage(conversation.snapshot());
  }
}
