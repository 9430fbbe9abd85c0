// @ts-check
/* Elements made and written. Text is never HTML. */
import { style } from './style.js';
import { withLinks } from './text.js';

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Node & ParentNode} parent
 * @param {string} [name]
 * @param {Record<string, string | number>} [attributes]
 * @param {string} [text]
 */
export function make(tag, parent, name = '', attributes = {}, text = '') {
  const made = document.createElement(tag);
  made.className = name;
  describe(made, attributes);
  made.textContent = text;
  parent.append(made);
  return made;
}

/**
 * @param {HTMLElement} element
 * @param {Record<string, string | number>} attributes
 */
export function describe(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, /** @type {string} */ (value));
}

/**
 * @param {Node | null} node
 * @param {string} text
 */
export function write(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

/**
 * @param {any} node
 * @param {string} text
 */
export function writeMessage(node, text) {
  if (node.textContent !== text) node.replaceChildren(...withLinks(text));
}

/** @param {ShadowRoot} root */
export function addStyle(root) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    make('style', root, '', {}, style);
  }
}
