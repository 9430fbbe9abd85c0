// @ts-check
/*
 * Visitor Monitor, the visitor's side of the chat: a small dialog at the page's lower right.
 *
 * A module that the tag loads once there is something to say. docs/chat.md explains what it does and
 * what it sends. It must never harm the page: nothing is thrown into it or moved in it. This file
 * joins the three parts. What the link receives changes the conversation, and the dialog draws it.
 * What the visitor does in the dialog changes the conversation, and the link sends it.
 */
import { KEY, VisitorConversation } from './conversation.js';
import { makeDialog } from './dialog.js';
import { makeLink } from './link.js';
import { findLook } from './look.js';
import { later, listen, parse, safe } from './safe.js';
import { viewOf } from './view.js';
import { TYPING_EVERY } from '../core.js';

/**
 * @import {ChatAnswer, ChatNews, ConversationUpdate, Host, Kept} from '../types.js'
 * @import {OutboxItem, TabUpdate, TakeOffer} from '../types.js'
 */

const TICK = 500; // how often it checks what has no event: the time, a script that was switched off
const DRESS_AGAIN = 10_000;
const ANNOUNCED_AFTER = 100; // screen readers announce only what is added to a log that they know already

const NOT_THERE = /404|410/; // of a conversation, which has a token; else of the collector

/** @type {TakeOffer | undefined} */
let take;

/** @param {Host} host */
export default async (host) => {
  const kept = host.isStoring() && (await safe(() => parse(sessionStorage[KEY]))());
  return (take ||= begin(host, kept || undefined));
};

/**
 * @param {Host} host
 * @param {Kept} [kept] what this tab had stored on the previous page
 * @returns {TakeOffer}
 */
function begin(host, kept) {
  let isRefused = false;
  let isDressed = false;
  let typedAt = 0;
  /** @type {ReturnType<typeof setInterval>} */
  let ticker;

  const draw = safe(drawAll);
  const conversation = new VisitorConversation(host, kept);
  const link = makeLink(host, conversation, { answered, received, shared, refused });
  const dialog = makeDialog({ join, decline, minimise, askToEnd, end, say, typed, tell });

  safe(dress)();

  listen(window, 'visibilitychange online', visibilityChanged);
  listen(window, 'pointerout', leaving);
  // Without storage the next page cannot continue the conversation.
  listen(window, 'pagehide', () => conversation.token && !host.isStoring() && link.post('end', { w: 'page' }));
  return safe(takeOffer);

  /** Without words there is no dialog: where not even our English can be had, it tries again. */
  async function dress() {
    later(() => isDressed || dress(), DRESS_AGAIN);
    dialog.dress(await findLook(host));
    isDressed = true;
    later(draw, ANNOUNCED_AFTER); // and not before the conversation of the last page is found
  }

  /** @param {ChatNews} [offer] */
  function takeOffer(offer) {
    if (offer?.w || !isRunning()) return withdraw(offer);
    if (!conversation.isBegun) resume();
    if (offer?.k) {
      draw();
      dialog.attach();
      invited(offer, offer.k);
    } else if (offer) {
      conversation.button = offer.b || 0;
      conversation.exitRule = offer.r || '';
    }
    later(continueShared, ANNOUNCED_AFTER);
  }

  function isRunning() {
    return !isRefused && host.isRunning();
  }

  function resume() {
    ticker = setInterval(draw, TICK);
    conversation.resume();
    dialog.clear(conversation.draft);
  }

  /**
   * The chat may run no more. Where the visitor has decided so, the agent reads it.
   *
   * @param {ChatNews} [news]
   */
  function withdraw({ w, k } = {}) {
    conversation.token ||= /^\w+/.exec(k || '')?.[0] || '';
    w = host.read('vm-off') || host.read('vm-own') ? 'opt_out' : w; // perhaps in another tab
    if (w && conversation.token) safe(link.post)('end', { w });
    stop();
  }

  function stop() {
    link.sleep();
    clearInterval(ticker);
    dialog.clear();
    conversation.stop();
    dialog.element.remove();
  }

  /** Continue the conversation that another page or tab has begun. */
  function continueShared() {
    const found = conversation.found();
    if (found) {
      adopt(found.token);
      conversation.isOpen = found.isOpen;
    }
    link.wake();
    link.flush();
    draw();
  }

  /** The page came into view, went out of view, or is online again. */
  function visibilityChanged() {
    link.retry();
    if (host.ask('hidden')) link.closeChannel();
    else continueShared();
  }

  // What is received

  /**
   * @param {ChatNews} offer
   * @param {string} token
   */
  function invited({ from, text = '' }, token) {
    if (token === conversation.token || token === conversation.forgotten) return;
    const isWriting = conversation.isOpen && !conversation.chat.state;
    adopt(token);
    conversation.isJoined = isWriting;
    const m = [{ n: 1, a: 1, x: text, f: from, i: 0 }];
    conversation.merge({ id: 0, state: 'delivered', from, m });
    link.share();
    host.listeners.invite?.({ from, text });
  }

  /** @param {string} token */
  function adopt(token) {
    link.sleep();
    conversation.adopt(token);
    dialog.clear(conversation.draft);
  }

  /** @param {ConversationUpdate} update */
  function received(update) {
    conversation.merge(update, update.id);
    link.share();
    settle();
  }

  /** @param {TabUpdate} message */
  function shared({ c: token, u: update, o: upTo }) {
    if (update && conversation.isNews(token) && !conversation.isOver(update.state)) adopt(token);
    if (token !== conversation.token) return;
    if (!update) return link.share();
    conversation.merge(update, upTo);
    settle();
    link.wake();
  }

  /**
   * @param {OutboxItem} item
   * @param {ChatAnswer} [answer]
   */
  function answered(item, answer) {
    conversation.answered(item, answer);
    link.share();
    // Any other end comes from the stream, with all messages.
    if (answer?.state === 'left') settle();
    else draw();
  }

  /**
   * The conversation does not exist (any more), or the site is not served.
   *
   * @param {number} status
   */
  function refused(status) {
    if (!conversation.token || !NOT_THERE.test(/** @type {any} */ (status))) isRefused = true;
    conversation.chat.state = conversation.isJoined ? 'ended' : 'dismissed';
    settle();
  }

  function settle() {
    if (conversation.isOver()) {
      link.sleep();
      conversation.close();
      dialog.field.value = conversation.draft;
    }
    draw();
  }

  // What the visitor does

  function join() {
    if (conversation.isInvited()) enqueue({ do: 'accept' });
    conversation.isOpen = conversation.isJoined = true;
    conversation.isEnding = false;
    draw();
    dialog.field.focus();
  }

  function decline() {
    conversation.parting = 'dismissed';
    enqueue({ do: 'dismiss' });
    dialog.leave(draw);
  }

  function askToEnd() {
    conversation.isEnding = true;
    draw();
  }

  function end() {
    conversation.parting = 'ended';
    enqueue({ do: 'end' });
    dialog.main.focus();
  }

  function minimise() {
    if (conversation.isOver()) conversation.isJoined = false;
    if (conversation.chat.g) dialog.field.value = ''; // what was said of the last one
    conversation.isOpen = conversation.isEnding = false;
    dialog.leave(draw);
  }

  /**
   * @param {string} written
   * @param {string} [email] where the visitor wants the answer
   */
  function say(written, email) {
    const x = written.replace(/\p{Cs}/gu, '').trim();
    // Up to 30 digits; crypto.randomUUID is missing on plain http.
    const n = crypto.getRandomValues(new Uint32Array(3)).join('');
    const isFirst = !conversation.token && !conversation.outbox.length;
    conversation.draft = '';
    if (!x) return;
    if (email) conversation.chat.e = email;
    enqueue({ do: isFirst ? 'open' : 'send', n, x, e: email || undefined, at: Date.now() });
  }

  /**
   * @param {'email' | 'rate'} action
   * @param {Pick<OutboxItem, 'e' | 'g' | 'why'>} fields
   */
  function tell(action, fields) {
    enqueue(conversation.addBeside(action, fields));
  }

  /** @param {string} draft */
  function typed(draft) {
    conversation.draft = draft;
    draw();
    if (conversation.chat.state !== 'open' || !draft || Date.now() - typedAt <= TYPING_EVERY) return undefined;
    typedAt = Date.now();
    return link.post('typing');
  }

  /**
   * The mouse left the page at its top: a rule may have a text for a visitor who is about to leave.
   *
   * @param {PointerEvent} event
   */
  async function leaving(event) {
    const { exitRule, token } = conversation;
    const isOut = !event.relatedTarget && event.clientY <= 0 && event.pointerType === 'mouse';
    if (!isOut || !exitRule || token || !isRunning()) return;
    conversation.exitRule = '';
    const reply = await link.post('open', { s: host.visit(), t: host.tab, r: exitRule });
    if (reply.status === 200) takeOffer(await reply.json());
  }

  /** @param {OutboxItem} item */
  function enqueue(item) {
    conversation.outbox.push(item);
    draw();
    link.flush();
  }

  /** Draw the conversation, store it, and note what the visitor has seen. */
  function drawAll() {
    if (!conversation.isBegun) return;
    if (!isRunning()) return withdraw();
    if (!isDressed) return conversation.keep();
    if (conversation.isDone() && !conversation.token) {
      conversation.forget();
      dialog.clear(conversation.draft);
    }
    const view = viewOf(conversation);
    dialog.draw(view);
    conversation.draft = dialog.field.value;
    conversation.keep();
    const seen = view.isDialog && !host.ask('hidden') && dialog.isUsable() && conversation.markSeen();
    if (seen) enqueue(seen);
  }
}
