// @ts-check
/*
 * What the visitor sees. It draws a view of the conversation, sends nothing, and calls the given
 * actions when the visitor does something. The focus moves only when the visitor does something.
 */
import { LONGEST_MESSAGE } from '../core.js';
import { addStyle, describe, make, write } from './elements.js';
import { drawLines } from './lines.js';
import { asksAddress, asksRating, fill, nameOf, noteText } from './notes.js';
import { listen } from './safe.js';
import { excessOf } from './text.js';
import { saveTranscript } from './transcript.js';

/**
 * @import {ConversationView} from './view.js'
 * @import {Look, Rating} from '../types.js'
 */

/**
 * What the visitor can do.
 *
 * @typedef {object} Actions
 * @property {() => void} join
 * @property {() => void} decline
 * @property {() => void} minimise
 * @property {() => void} askToEnd
 * @property {() => void} end
 * @property {(text: string, email?: string) => void} say
 * @property {(text: string) => any} typed the field has changed
 * @property {(action: 'email' | 'rate', fields: {e?: string, g?: Rating, why?: string}) => void} tell an address, or how the chat was
 */

/** @param {Actions} actions */
export function makeDialog(actions) {
  /** Where the focus was before it came to the dialog. @type {HTMLElement | undefined} */
  let before;
  /** The lines of the log by their keys. @type {Record<string, HTMLElement>} */
  let lines = {};
  /** @type {Look} */
  let look;
  /** What is drawn. @type {ConversationView} */
  let shown;
  let isAddressWrong = false;
  /** The visitor has said why the chat was good or bad. */
  let isExplained = false;

  const element = document.createElement('visitor-monitor-chat');
  const root = element.attachShadow({ mode: 'open' });
  const box = make('div', root, 'box');
  const card = make('div', box, 'card', { role: 'dialog', tabindex: -1 });
  const head = make('div', card, 'head');
  const title = make('b', head, 'title');
  const less = make('button', head, '', {}, '–');
  const end = make('button', head);
  const log = make('div', card, 'log', { role: 'log', 'aria-live': 'polite' });
  const foot = make('div', card, 'foot');
  const note = make('div', foot, 'note', { id: 'note', role: 'status' });
  const after = make('div', foot, 'row'); // the last thing in the log once the chat is over: so nothing shifts
  const question = make('div', after, 'note');
  const good = make('button', after);
  const bad = make('button', after);
  const save = make('button', after);
  const address = make('div', foot, 'row');
  const email = make('input', address, 'field', {
    type: 'email', autocomplete: 'email', maxlength: 254, 'aria-describedby': 'note',
  });
  const keep = make('button', address);
  const field = make('textarea', foot, 'field', { dir: 'auto', rows: 1, enterkeyhint: 'send', 'aria-describedby': 'note' });
  const main = make('button', foot, 'main');
  const other = make('button', foot);
  const pill = make('button', box, 'pill main');
  const pillText = make('b', pill);
  const badge = make('b', pill, 'badge');

  addStyle(root);
  listen(window, 'keydown keypress keyup focus focusin focusout pointerdown mousedown touchstart click', heard);
  listen(field, 'input', () => actions.typed(field.value));
  listen(email, 'input', () => (isAddressWrong = false));
  less.onclick = actions.minimise;
  end.onclick = () => {
    actions.askToEnd();
    other.focus();
  };
  pill.onclick = () => {
    before = pill;
    actions.join();
  };
  keep.onclick = leaveAddress;
  good.onclick = () => rate('good');
  bad.onclick = () => rate('bad');
  save.onclick = () => saveTranscript(shown, look.lang, look.words.you);

  return { element, field, main, attach, clear, draw, dress, isUsable, leave };

  /**
   * Say everything in the look's language, in its colour and corner. To be called before it is drawn.
   *
   * @param {Look} wanted
   */
  function dress(wanted) {
    look = wanted;
    const { words } = look;
    clear(field.value);
    describe(box, { lang: look.lang, dir: look.dir || 'ltr' });
    describe(less, { 'aria-label': words.minimise });
    describe(log, { 'aria-label': words.messages });
    describe(email, { 'aria-label': words.email, placeholder: words.email });
    write(question, words.rate);
    write(good, '☺ ' + words.good); // not as emoji: every system has these two
    write(bad, '☹ ' + words.bad);
    write(end, words.end);
    write(keep, words.save);
    write(save, words.transcript);
    if (!look.colour) return;
    box.style.setProperty('--colour', look.colour);
    box.style.setProperty('--text', look.text || '');
  }

  /**
   * What happens in the dialog is heard here first, and not by the page: its shortcuts, its focus traps
   * and what closes at a click elsewhere would disturb the visitor.
   *
   * @param {any} event
   */
  function heard(event) {
    const { relatedTarget, target, type } = event;
    const isOurs = target === element;
    // A trap also hears when the focus leaves the page's own dialog for this one.
    const isFromTrap = type === 'focusout' && relatedTarget === element && target.closest('dialog,[role$=dialog]');
    if (isOurs || isFromTrap) event.stopPropagation();
    if (!isOurs) return;
    const [inner] = event.composedPath();
    if (type === 'focusin') before = relatedTarget || before;
    if (type === 'click') inner.closest('button')?.onclick();
    if (type !== 'keydown' || event.keyCode === 229 /* an input method composes */) return;
    if (event.key === 'Escape') actions.minimise();
    else if (event.key === 'Enter' && inner === field && !event.shiftKey) main.onclick?.(event);
    else if (event.key === 'Enter' && inner === email) (keep.hidden ? say : leaveAddress)();
    else return;
    event.preventDefault();
  }

  function say() {
    const text = field.value;
    if (main.disabled || (shown.isAway && !isAddressGood(look.email === 'required'))) return;
    const given = address.hidden ? '' : email.value.trim();
    field.value = '';
    field.focus();
    actions.say(text, given);
  }

  function leaveAddress() {
    if (!isAddressGood(true)) return;
    main.focus();
    actions.tell('email', { e: email.value.trim() });
  }

  /**
   * Whether the address can be taken as it is; else the visitor is asked to look at it.
   *
   * @param {boolean} isNeeded
   */
  function isAddressGood(isNeeded) {
    const isGood = address.hidden || (email.validity.valid && !!(email.value.trim() || !isNeeded));
    isAddressWrong = !isGood;
    if (!isGood) {
      draw(shown);
      email.focus();
    }
    return isGood;
  }

  /** @param {Rating} rating */
  function rate(rating) {
    field.value = '';
    actions.tell('rate', { g: rating });
    field.focus();
  }

  function explain() {
    const why = field.value;
    isExplained = true;
    field.value = '';
    main.focus();
    actions.tell('rate', { g: /** @type {Rating} */ (shown.rating), why });
  }

  /** Outside the body, so that the body's last element stays the last. */
  function attach() {
    if (!element.isConnected) document.documentElement.append(element);
  }

  /**
   * Begin anew, with the draft of another conversation.
   *
   * @param {string} [draft]
   */
  function clear(draft = '') {
    lines = {};
    isExplained = isAddressWrong = false;
    log.textContent = '';
    field.value = draft;
  }

  /**
   * Whether the visitor sees it and can use it: the page has laid nothing over it, and has not made it
   * inert, clipped or transparent.
   */
  function isUsable() {
    return [log, main].every(isOnTop) && element.checkVisibility?.({ checkOpacity: true }) !== false;
  }

  /** @param {HTMLElement} node */
  function isOnTop(node) {
    const { x, y } = node.getBoundingClientRect();
    return node.contains(root.elementFromPoint(x + 16, y + 16)); // which does not find what is inert
  }

  /**
   * Draw again without the dialog, and give the focus back.
   *
   * @param {() => void} drawAgain
   */
  function leave(drawAgain) {
    const hadFocus = root.activeElement;
    drawAgain();
    if (hadFocus) (before?.isConnected ? before : pill).focus();
  }

  /** @param {ConversationView} view */
  function draw(view) {
    const { isDialog, isPill, unread } = view;
    const isLow = view.isUnsent || log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const activeElement = /** @type {HTMLElement | null} */ (root.activeElement);
    const { words } = look;
    const name = nameOf(view, look);
    const excess = view.step === 'talking' ? excessOf(field.value, LONGEST_MESSAGE) : 0;

    shown = view;
    box.className = ['box', isDialog && 'on', view.isTall && 'tall', look.corner].filter(Boolean).join(' ');
    head.hidden = foot.hidden = !isDialog;
    log.tabIndex = isDialog ? 0 : -1;
    pill.hidden = !isPill;
    badge.hidden = !unread;
    card.setAttribute('aria-label', name);
    write(title, name);
    write(pillText, name + ' ');
    write(badge, fill(words['new_' + new Intl.PluralRules(look.lang).select(unread)] || words.new_other, unread));
    write(note, excess > 0 ? fill(words.excess, excess) : isAddressWrong ? words.wrong_email : noteText(view, look));
    main.disabled = excess > 0;
    drawButtons(view);
    drawLines(log, lines, view, look);
    if (isDialog || isPill) attach();
    if (isLow) log.scrollTop = log.scrollHeight;
    if (activeElement?.hidden) main.focus();
  }

  /** @param {ConversationView} view */
  function drawButtons(view) {
    const { rating, state, step } = view;
    const { words } = look;
    const isRated = asksRating(view, look);
    const isExplaining = isRated && !!rating && !isExplained;
    /** @type {[string, () => void, string?, (() => void)?]} */
    const [mainWord, mainWork, otherWord = '', otherWork] =
      step === 'invited' ? [words.accept, actions.join, words.decline, actions.decline]
      : isExplaining ? [words.send, explain]
      : step === 'over' ? [words.close, actions.minimise]
      : step === 'ending' ? [words.end_chat, actions.end, words.keep, actions.join]
      : [words.send, say];
    less.hidden = step === 'over' && !isExplaining;
    field.hidden = step !== 'talking' && !isExplaining;
    const label = isExplaining ? words.why : words.message;
    describe(field, { 'aria-label': label, placeholder: isExplaining ? label : words.write });
    end.hidden = step !== 'talking' || !state;
    question.hidden = good.hidden = bad.hidden = !isRated || !!rating;
    address.hidden = !asksAddress(view, look);
    keep.hidden = view.isAway && step === 'talking';
    if (step !== 'over' || state !== 'ended') after.remove();
    else if (after.parentNode !== log) log.append(after);
    other.hidden = !otherWork;
    main.onclick = mainWork;
    other.onclick = /** @type {any} */ (otherWork);
    write(main, mainWord);
    write(other, otherWord);
  }
}
