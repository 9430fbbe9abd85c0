// @ts-check
/* The text of a message, for both sides: the visitor's dialog and the agents' page import this file. */

/**
 * Where a link may be: https:// or http:// and the letters, digits and marks that addresses have, in any
 * script. Of brackets, pairs belong to it; marks at its end belong to the sentence.
 */
const CANDIDATE =
  /(\bhttps?:\/\/(?:[.,:;!?'*\p{Cf}]*(?:[\p{L}\p{M}\p{N}#$%&+/=@_~-]|\([^\s()]*\)|\[[^\s[\]]*\]))+)/giu;

/**
 * Its host is letters and digits: no name before an @. Nothing in it is invisible. So a link leads
 * where its text says.
 */
const LINK = /^(?!.*[\p{C}\p{DI}])\w+:\/\/[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*(:\d+)?([/?#]|$)/u;

/**
 * The text in pieces, as it was typed: what is a link is an element.
 *
 * @param {string} text
 */
export function withLinks(text) {
  return text.split(CANDIDATE).map((part, index) => (index % 2 && LINK.test(part) ? linkTo(part) : part));
}

/**
 * By how many characters a text is too long to be sent; not more than 0 if it fits. They are counted as Python
 * counts them: two surrogates are one.
 *
 * @param {string} text
 * @param {number} longest
 */
export function excessOf(text, longest) {
  return text.replace(/[\ud800-\udbff]/g, '').length - longest;
}

/** @param {string} address */
function linkTo(address) {
  return Object.assign(document.createElement('a'), {
    dir: 'ltr',
    href: address,
    rel: 'noopener noreferrer nofollow',
    target: '_blank',
    textContent: address,
  });
}
