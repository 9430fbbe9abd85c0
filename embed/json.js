// @ts-check
/*
 * JSON without the page's: old libraries put another thing in its place (MooTools 1.2), or add a
 * `toJSON` to arrays that makes text of them (Prototype.js).
 */
import { LONGEST_PATH_SENT } from './core.js';

/**
 * Text, a number, a boolean, or an object of them as JSON. What is undefined or null is left out. A
 * text is cut, and not within a character: the collector cuts most shorter. A space stands for each control
 * character but the line feed: the collector keeps none.
 *
 * @param {any} value
 * @returns {string}
 */
export function json(value) {
  if (Object(value) === value) {
    // oxlint-disable-next-line eqeqeq -- null too
    const pairs = Object.entries(value).filter(([, each]) => each != null);
    return '{' + pairs.map((pair) => pair.map(json).join(':')) + '}';
  }
  if (typeof value !== 'string') return String(value);
  const escaped = [...value].slice(0, LONGEST_PATH_SENT).join('').replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n');
  return '"' + escaped.replace(/\p{Cc}/gu, ' ') + '"';
}
