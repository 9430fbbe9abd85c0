// @ts-check
/*
 * Visitor Monitor, the page signals: which kind of shop page this is, read from the page itself.
 *
 * A module that the embed script loads under data-signals="yes". It reads no form field and changes
 * nothing in the page. It tries the shop's platform first, then the GA4 events in the data layer,
 * then JSON-LD, then og:type.
 */

import { ask } from './document.js';

/** @import {PageContext} from './types.js' */

/** @typedef {[PageContext, RegExp][]} Patterns */

/** @type {Record<string, PageContext>} */
const SHOPIFY_TYPES = {
  product: 'product',
  collection: 'collection',
  cart: 'cart',
  search: 'search',
  searchresults: 'search',
  home: 'none',
  blog: 'none',
  article: 'none',
};

/** @type {Record<string, PageContext>} */
const PRESTASHOP_PAGES = {
  'order-confirmation': 'purchased',
  checkout: 'checkout',
  order: 'checkout',
  cart: 'cart',
  search: 'search',
  product: 'product',
  category: 'collection',
  manufacturer: 'collection',
  'new-products': 'collection',
  'best-sales': 'collection',
  'prices-drop': 'collection',
  index: 'none',
};

/**
 * Classes of WooCommerce, Magento and Shopware; a thank-you page also has those of the checkout.
 *
 * @type {Patterns}
 */
const BODY_CLASSES = [
  ['purchased', /\s(woocommerce-order-received|checkout-onepage-success|is-act-finishpage)\s/],
  ['cart', /\s(woocommerce-cart|checkout-cart-index|is-act-cartpage)\s/],
  ['checkout', /\s(woocommerce-checkout|checkout-(onepage-)?index(-index)?|is-ctl-checkout|is-act-checkoutregisterpage)\s/],
  ['search', /\s(search-results|catalogsearch-result-index|is-ctl-search)\s/],
  ['product', /\s(single-product|catalog-product-view|is-ctl-product)\s/],
  ['none', /\sis-act-home\s/],
  ['collection', /\s(tax-product_(cat|tag)|post-type-archive-product|catalog-category-view|is-ctl-navigation)\s/],
];

/**
 * Names of events and of types, the strongest intent first: a cart lists products too.
 *
 * @type {Patterns}
 */
const EVENTS = [
  ['purchased', /^purchase$/],
  ['checkout', /^(begin_checkout|add_(shipping|payment)_info)$/],
  ['cart', /^view_cart$/],
  ['product', /^view_item$/],
  ['search', /^(search|view_search_results)$/],
  ['collection', /^view_item_list$/],
];

/** @type {Patterns} */
const TYPES = [
  ['checkout', /^CheckoutPage$/],
  ['search', /^SearchResultsPage$/],
  ['collection', /^(CollectionPage|OfferCatalog)$|product\.group$/],
  ['product', /^(Product|ProductGroup|IndividualProduct|product(\.item)?|og:product)$/],
  ['collection', /^ItemList$/], // product pages list related products too
];

let from = 0; // the length of the data layer when this page of a single-page application began

export default () => readSignal;

/**
 * The page's context word, or undefined; with isNewPage it only notes that a new page begins.
 *
 * @param {boolean} [isNewPage]
 * @returns {PageContext | undefined}
 */
function readSignal(isNewPage) {
  try {
    const layer = window.dataLayer || [];
    if (isNewPage) from = layer.length;
    else return fromPlatform() || first(EVENTS, eventNames(layer)) || first(TYPES, typeNames());
  } catch {
    // A page that is not built yet, or not as expected, has no signal.
  }
  return undefined;
}

function fromPlatform() {
  const { id, className } = ask('body');
  const shopifyType = window.ShopifyAnalytics?.meta?.page?.pageType || window.__st?.p || '';
  return (
    SHOPIFY_TYPES[shopifyType] ||
    (window.prestashop && PRESTASHOP_PAGES[id]) ||
    first(BODY_CLASSES, [` ${className.replace(/\s+/g, '  ')} `])
  );
}

/**
 * Both forms: dataLayer.push({event: name}) and gtag('event', name).
 *
 * @param {any[]} layer
 */
function eventNames(layer) {
  return [...layer].slice(from).map((entry) => (entry?.[0] === 'event' ? entry[1] : entry?.event));
}

function typeNames() {
  /** @type {any[]} */
  const names = [];
  const find = ask('querySelectorAll');
  for (const script of find.call(document, 'script[type="application/ld+json"]')) {
    try {
      const data = JSON.parse(script.textContent);
      for (const thing of [].concat(data['@graph'] || data)) names.push(...[].concat(thing['@type']));
    } catch {
      // Invalid JSON-LD is ignored.
    }
  }
  if (names.filter((name) => name === 'Product').length > 1) names.unshift('CollectionPage');
  /** @type {HTMLMetaElement[]} */
  const [meta] = find.call(document, 'meta[property="og:type"]');
  return [...names, meta?.content];
}

/**
 * The word of the first pattern that fits one of the names.
 *
 * @param {Patterns} patterns
 * @param {any[]} names
 */
function first(patterns, names) {
  return patterns.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0];
}
