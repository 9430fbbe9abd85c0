// @ts-check
/* The lines of the log: what both sides have said, with the time below. */
import { make, write, writeMessage } from './elements.js';
import { stamp } from './transcript.js';

/**
 * @import {ConversationView} from './view.js'
 * @import {Look} from '../types.js'
 */

/**
 * Nodes are kept, so that screen readers announce each new one once.
 *
 * @param {HTMLElement} log
 * @param {Record<string, HTMLElement>} lines those that are there, by their keys
 * @param {ConversationView} view
 * @param {Look} look
 */
export function drawLines(log, lines, view, { lang, words }) {
  view.lines.forEach((line, index) => {
    const node = (lines[line.key] ||= makeLine(log, line.isMine, line.isMine ? words.you : line.from || view.from));
    const author = /** @type {HTMLElement} */ (node.firstChild);
    author.className = line.from && line.from !== view.from ? 'name' : 'off';
    writeMessage(node.childNodes[1], line.text + (line.isLost ? ' ' + words.lost : ''));
    write(node.lastChild, (node.title ||= stamp(line.at, lang)) + (line.isSeen ? ' · ' + words.seen : ''));
    if (log.children[index] !== node) log.insertBefore(node, log.children[index] || null);
  });
}

/**
 * @param {HTMLElement} log
 * @param {boolean} isMine
 * @param {string | undefined} author
 */
function makeLine(log, isMine, author) {
  const node = make('div', log, isMine ? 'line mine' : 'line');
  make('b', node, '', {}, author + ' ');
  make('span', node);
  make('time', node);
  return node;
}
