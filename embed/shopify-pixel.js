// @ts-check
/*
 * Visitor Monitor for Shopify's checkout, as a Custom Pixel: docs/shopify.md says where it goes.
 * Fill in the two lines below, then paste the whole file.
 *
 * The theme's script tag covers the shop; it cannot see the checkout. This pixel goes on with the
 * same visit there. It sends the step of the checkout and its total, and nothing that a customer typed:
 * no address, no goods, and not the checkout's own URL, which holds a secret token.
 */
const COLLECTOR = 'https://HOST';
const SITE = 'KEY';

const VISIT_ENDS_AFTER = 1_800_000;
const PRESENCE_EVERY = 20_000;
const ANSWER_WITHIN = 10_000;
const MAX_EVENTS = 20;
const STEPS = ['information', 'contact', 'shipping', 'payment', 'review', 'processing'];
const ACTIVITIES = [
  'checkout_started',
  'checkout_contact_info_submitted',
  'checkout_address_info_submitted',
  'checkout_shipping_info_submitted',
  'payment_info_submitted',
  'clicked',
  'input_focused',
];

/** @import {BeaconEvent} from './types.js' */
/** @typedef {{u: string, x: string}} CheckoutPage */
/** @typedef {Omit<BeaconEvent, 'o'> & {at: number}} PixelEvent */
/** @typedef {{amount?: number, currencyCode?: string}} Money */

/** @type {string | undefined} */
let visit;
/** Undefined until the checkout is reached: nothing is sent before. @type {CheckoutPage | undefined} */
let page;
/** The checkout's total, until an event tells it. @type {Money | undefined} */
let total;
let activeAt = Date.now();
let number = 0;
/** @type {PixelEvent[]} */
let queue = [];
/** A request has its own end: the browser may abandon one unsettled. */
let waitUntil = 0;
const tab = randomId();

analytics.subscribe('page_viewed', (event) => view(pageAt(event.context.document.location.pathname)));
analytics.subscribe('checkout_completed', () => view({ u: '/checkout/thank-you', x: 'purchased' }));
for (const name of ACTIVITIES) analytics.subscribe(name, interact);
document.addEventListener('visibilitychange', () => add(document.hidden ? 'h' : 'p'));
addEventListener('pagehide', () => add('h'));
setInterval(() => {
  if (!document.hidden && Date.now() - activeAt < VISIT_ENDS_AFTER) add('p');
}, PRESENCE_EVERY);

/**
 * The page of the checkout, or undefined on the pages of the shop, which the theme's tag covers.
 *
 * @param {string} pathname
 * @returns {CheckoutPage | undefined}
 */
function pageAt(pathname) {
  if (!/\/checkouts?(\/|$)|\/orders\//.test(pathname)) return undefined;
  const last = pathname.split('/').filter(Boolean).pop() || '';
  if (/thank[-_]you|\/orders\//.test(pathname)) return { u: '/checkout/thank-you', x: 'purchased' };
  return { u: STEPS.includes(last) ? `/checkout/${last}` : '/checkout', x: 'checkout' };
}

/** @param {CheckoutPage | undefined} next */
async function view(next) {
  if (!next || next.u === page?.u || !(await join())) return;
  page = next;
  activeAt = Date.now();
  add('v');
}

/** @param {{data?: {checkout?: {totalPrice?: Money}}}} event */
async function interact(event) {
  total = event.data?.checkout?.totalPrice || total;
  const isOver = Date.now() - activeAt >= VISIT_ENDS_AFTER;
  activeAt = Date.now();
  if (page && isOver && (await join())) add('v');
}

/** Join the visit that the theme's tag keeps, or begin one. False after an opt-out, and of own visits. */
async function join() {
  const storage = browser.localStorage;
  if (init.customerPrivacy?.analyticsProcessingAllowed === false) return false;
  if (navigator.globalPrivacyControl) return (visit = '') === '';
  if ((await storage.getItem('vm-off')) || (await storage.getItem('vm-own'))) return false;
  const [, id, at] = /^([a-z0-9]{16,40})\.(\d+)$/.exec((await storage.getItem('vm')) || '') || [];
  visit = id && Date.now() - Number(at) < VISIT_ENDS_AFTER ? id : randomId();
  await storage.setItem('vm', `${visit}.${Date.now()}`);
  return true;
}

/** @param {'v' | 'p' | 'h'} kind */
function add(kind) {
  if (!page) return;
  const quiet = Math.round((Date.now() - activeAt) / 1000);
  const cart = { cv: total?.amount, cc: total?.currencyCode };
  total = undefined;
  queue.push({ at: Date.now(), e: kind, n: ++number, a: quiet, d: 'Checkout', f: 1, ...page, ...cart });
  queue = queue.slice(-MAX_EVENTS);
  send();
}

async function send() {
  if (Date.now() < waitUntil && !document.hidden) return;
  waitUntil = Date.now() + ANSWER_WITHIN;
  const batch = [...queue];
  const events = batch.map(({ at, ...event }) => ({
    ...event,
    o: Math.round((Date.now() - at) / 1000),
  }));
  const body = JSON.stringify({ v: 1, k: SITE, s: visit, t: tab, b: events });
  try {
    /** @type {RequestInit} */
    const options = { method: 'POST', body, keepalive: true, credentials: 'omit' };
    const answer = await fetch(`${COLLECTOR}/v1/beacon`, options);
    if (answer.status === 403) page = undefined;
    if (answer.status < 429) queue = queue.filter((event) => !batch.includes(event));
    if (answer.status === 200) visit = visit && (await answer.json()).s;
  } catch {
    // The collector was not reached: the events are sent with the next presence.
  }
  waitUntil = 0;
  if (queue.length && !queue.includes(batch[0])) send();
}

function randomId() {
  let id = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += (byte % 36).toString(36);
  return id;
}
