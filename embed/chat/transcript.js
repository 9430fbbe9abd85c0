// @ts-check
/* The times beside the messages, and the conversation as a file of text. */
import { localeOf } from './look.js';

/** @import {ConversationView} from './view.js' */

/**
 * The time of the moment, with the date when that is not today.
 *
 * @param {number | undefined} at
 * @param {string} lang
 */
export function stamp(at, lang) {
  const date = new Date(Number(at));
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(localeOf(lang), { dateStyle: isToday ? undefined : 'short', timeStyle: 'short' });
}

/**
 * Let the browser save what was said. As an address of its own: pages name things of theirs `URL` and `Blob`.
 *
 * @param {ConversationView} view
 * @param {string} lang
 * @param {string} you how the visitor is called in it
 */
export function saveTranscript({ from, lines }, lang, you) {
  const said = lines.map(
    (line) => stamp(line.at, lang) + ' ' + (line.isMine ? you : line.from || from) + ': ' + line.text + '\n',
  );
  const link = document.createElement('a');
  link.href = 'data:text/plain;charset=utf-8,' + encodeURIComponent(said.join(''));
  link.download = 'chat.txt';
  link.click();
}
