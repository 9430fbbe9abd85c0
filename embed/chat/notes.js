// @ts-check
/* What the line below the messages says: of several things the one that matters most to the visitor. */

/**
 * @import {ConversationView} from './view.js'
 * @import {Look} from '../types.js'
 */

const LONGER_AFTER = 30_000; // without an answer
const MAIL_AFTER = 60_000;

/**
 * The text with this in the place of the name that stands in it in braces.
 *
 * @param {string} text
 * @param {string | number} value
 */
export function fill(text, value) {
  return text.replace(/{\w+}/, () => /** @type {string} */ (value));
}

/**
 * Whether the visitor can leave an address: with a message that nobody reads now, or in a chat that nobody answers.
 *
 * @param {ConversationView} view
 * @param {Look} look
 */
export function asksAddress({ email, isAway, step, waits }, look) {
  return !!look.email && !email && (isAway || (step === 'talking' && waits >= MAIL_AFTER));
}

/**
 * @param {ConversationView} view
 * @param {Look} look
 */
export function asksRating({ isAnswered, state, step }, look) {
  return !!look.rating && step === 'over' && state === 'ended' && isAnswered;
}

/**
 * The dialog's title, and the button's.
 *
 * @param {ConversationView} view
 * @param {Look} look
 */
export function nameOf({ from, isAway }, { words }) {
  return from || (isAway ? words.leave : words.title);
}

/**
 * @param {ConversationView} view
 * @param {Look} look
 */
export function noteText(view, look) {
  const { email, isAnswered, rating, step, vacatedBy, waits } = view;
  const { words } = look;
  const promise = email && fill(words.promise, email);
  if (step === 'over') {
    if (view.state === 'left') return promise || words.arrived;
    return rating ? words.rated : words.ended;
  }
  if (step === 'ending') return words.ask_end;
  if (view.isRefused) return words.unavailable;
  if (view.isLate) return words.late;
  if (view.isTyping) return fill(words.typing, nameOf(view, look));
  if (waits && asksAddress(view, look)) return words.ask_email;
  if (vacatedBy) return fill(words.vacated, vacatedBy);
  if (waits >= LONGER_AFTER) return promise || words.longer;
  if (waits && !isAnswered) return words.wait;
  if (view.isTall || step === 'invited') return '';
  return view.isAway ? words.nobody : words.greeting;
}
