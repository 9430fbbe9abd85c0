// @ts-check
/* What the dialog says, and how the site's owner wants it to look: in the page's language. */
import { LANGUAGES } from '../core.js';
import { later } from './safe.js';

/** @import {Host, Look} from '../types.js' */

const LOOK_WITHIN = 6_000; // else the dialog speaks English

/**
 * The site's look. Where the collector's answer cannot be had, it is English, which comes as a script.
 *
 * @param {Host} host
 * @returns {Promise<Look>}
 */
export async function findLook(host) {
  try {
    return await new Promise((done, fail) => {
      later(fail, LOOK_WITHIN);
      readLook(host).then(done, fail);
    });
  } catch {
    const english = await import(host.base + '/embed/visitor-monitor-english.js');
    return { lang: 'en', words: english.default };
  }
}

/** @param {Host} host */
async function readLook({ ask, base, fetch, site }) {
  const tags = [ask('documentElement').lang, ...navigator.languages];
  const language = tags.map(baseOf).find((code) => LANGUAGES.test(code)) || 'en';
  const address = base + '/embed/chat-' + language + '.json?site=' + encodeURIComponent(site);
  const look = await (await fetch(address, { credentials: 'omit' })).json();
  return look.words ? look : Promise.reject();
}

/**
 * As the visitor writes this language where they live: 3:05 PM or 15:05.
 *
 * @param {string} language
 */
export function localeOf(language) {
  return navigator.languages.find((tag) => baseOf(tag) === language) || language;
}

/** @param {string} tag */
function baseOf(tag) {
  return /** @type {any} */ (/[^-_]*/.exec(tag))[0].toLowerCase();
}
