// @ts-check
/*
 * The document, asked in a way that a page cannot shadow by accident: a form or an image that is named
 * like one of its properties (`title`, `hidden`) takes that property's place.
 */

/**
 * A property of the document, as its prototype has it: an element of that name hides only the
 * document's own.
 *
 * @param {string} name
 * @returns {any}
 */
export function ask(name) {
  return Reflect.get(Object.getPrototypeOf(document), name, document);
}
