// @ts-check
/* All that the page or the browser calls is wrapped here: nothing is ever thrown into the page. */

/**
 * The work, wrapped so that no error and no rejection of a promise reaches the page.
 *
 * @template {any[]} Values
 * @param {(...values: Values) => any} work
 * @returns {(...values: Values) => any}
 */
export function safe(work) {
  return (...values) => {
    try {
      const done = work(...values);
      return done?.catch ? done.catch(() => {}) : done;
    } catch {
      // The page goes on as without the chat.
    }
  };
}

/**
 * What the JSON says, by the browser's own parser: a page may have another thing called JSON.
 *
 * @param {string} text
 * @returns {Promise<any>}
 */
export function parse(text) {
  return new Response(text).json();
}

/**
 * @param {EventTarget} target
 * @param {string} names with spaces between them
 * @param {(event: any) => any} work
 */
export function listen(target, names, work) {
  for (const name of names.split(' ')) target.addEventListener(name, safe(work), target === window);
}

/**
 * @param {(value?: any) => any} work
 * @param {number} wait
 */
export function later(work, wait) {
  return setTimeout(safe(work), wait);
}
