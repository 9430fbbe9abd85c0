// @ts-check
/*
 * What the visitor sees. It draws a view of the conversation, sends nothing, and calls the given
 * actions when the visitor does something. Text is never HTML; the focus moves only when the visitor
 * does something.
 */
import { LONGEST_MESSAGE } from '../core.js';
import { listen } from './safe.js';
import { style } from './style.js';
import { excessNote, withLinks } from './text.js';

/** @import {LogLine, ConversationView} from './conversation.js' */

/**
 * What the visitor can do.
 *
 * @typedef {object} Actions
 * @property {() => void} join
 * @property {() => void} decline
 * @property {() => void} minimise
 * @property {() => void} askToEnd
 * @property {() => void} end
 * @property {(text: string) => void} say
 * @property {(text: string) => any} typed the field has changed
 */

/** @param {Actions} actions */
export function makeDialog(actions) {
  /** Where the focus was before it came to the dialog. @type {HTMLElement | undefined} */
  let before;
  /** The lines of the log by their keys. @type {Record<string, HTMLElement>} */
  let lines = {};

  const element = document.createElement('visitor-monitor-chat');
  const root = element.attachShadow({ mode: 'open' });
  const box = make('div', root, 'box', { lang: 'en' });
  const card = make('div', box, 'card', { role: 'dialog', tabindex: -1 });
  const head = make('div', card, 'head');
  const title = make('b', head, 'title');
  const less = make('button', head, '', { 'aria-label': 'Minimise' }, '–');
  const end = make('button', head, '', {}, 'End');
  const log = make('div', card, 'log', { role: 'log', 'aria-live': 'polite', 'aria-label': 'Messages' });
  const foot = make('div', card, 'foot');
  const note = make('div', foot, 'note', { id: 'note', role: 'status' });
  const field = make('textarea', foot, 'field', {
    dir: 'auto', rows: 1, enterkeyhint: 'send', 'aria-label': 'Message', 'aria-describedby': 'note', placeholder: 'Write a message',
  });
  const main = make('button', foot, 'main');
  const other = make('button', foot);
  const pill = make('button', box, 'pill main');
  const pillText = make('b', pill);
  const badge = make('b', pill, 'badge');

  addStyle(root);
  listen(window, 'keydown keypress keyup focus focusin focusout pointerdown mousedown touchstart click', heard);
  listen(field, 'input', () => actions.typed(field.value));
  less.onclick = actions.minimise;
  end.onclick = () => {
    actions.askToEnd();
    other.focus();
  };
  pill.onclick = () => {
    before = pill;
    actions.join();
  };

  return { element, field, main, attach, clear, draw, isUsable, leave };

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
    else if (event.key === 'Enter' && inner === field && !event.shiftKey) say();
    else return;
    event.preventDefault();
  }

  function say() {
    const text = field.value;
    if (main.disabled) return;
    field.value = '';
    field.focus();
    actions.say(text);
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
    const name = nameOf(view);
    const tooLong = view.step === 'talking' && excessNote(field.value, LONGEST_MESSAGE);

    box.className = 'box' + (isDialog ? ' on' : '') + (view.isTall ? ' tall' : '');
    head.hidden = foot.hidden = !isDialog;
    log.tabIndex = isDialog ? 0 : -1;
    pill.hidden = !isPill;
    badge.hidden = !unread;
    card.setAttribute('aria-label', name);
    write(title, name);
    write(pillText, name + ' ');
    write(badge, unread + ' new');
    write(note, tooLong || noteText(view));
    main.disabled = !!tooLong;
    drawButtons(view);
    drawLines(view);
    if (isDialog || isPill) attach();
    if (isLow) log.scrollTop = log.scrollHeight;
    if (activeElement?.hidden) main.focus();
  }

  /** @param {ConversationView} view */
  function drawButtons({ state, step }) {
    /** @type {[string, () => void, string?, (() => void)?]} */
    const [mainWord, mainWork, otherWord = '', otherWork] =
      step === 'invited' ? ['Chat', actions.join, 'No, thanks', actions.decline]
      : step === 'over' ? ['Close', actions.minimise]
      : step === 'ending' ? ['End chat', actions.end, 'Keep chatting', actions.join]
      : ['Send', say];
    less.hidden = step === 'over';
    field.hidden = step !== 'talking';
    end.hidden = field.hidden || !state;
    other.hidden = !otherWork;
    main.onclick = mainWork;
    other.onclick = /** @type {any} */ (otherWork);
    write(main, mainWord);
    write(other, otherWord);
  }

  /**
   * Nodes are kept, so that screen readers announce each new one once.
   *
   * @param {ConversationView} view
   */
  function drawLines(view) {
    view.lines.forEach((line, index) => {
      const node = (lines[line.key] ||= makeLine(line, view.from));
      const author = /** @type {HTMLElement} */ (node.firstChild);
      author.className = line.from && line.from !== view.from ? 'name' : 'off';
      writeMessage(node.lastChild, line.text + (line.isLost ? ' (not sent)' : ''));
      if (log.children[index] !== node) log.insertBefore(node, log.children[index] || null);
    });
  }

  /**
   * @param {LogLine} line
   * @param {string} [agent]
   */
  function makeLine({ isMine, from }, agent) {
    const node = make('div', log, isMine ? 'line mine' : 'line');
    make('b', node, '', {}, (isMine ? 'You' : from || agent) + ' ');
    make('span', node);
    return node;
  }
}

/** @param {ConversationView} view */
function nameOf({ from, isAway }) {
  return from || (isAway ? 'Leave a message' : 'Chat');
}

/** @param {ConversationView} view */
function noteText(view) {
  if (view.step === 'over') return view.state === 'left' ? 'Thank you. Your message has arrived.' : 'This chat has ended.';
  if (view.step === 'ending') return 'End this chat?';
  if (view.isLate) return 'Not sent yet. It will be tried again.';
  if (view.isTyping) return nameOf(view) + ' is typing';
  if (view.isTall || view.step === 'invited') return '';
  return view.isAway ? 'Nobody is here right now. Leave a message, and say how to reach you.' : 'How can we help?';
}

/** @param {ShadowRoot} root */
function addStyle(root) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    make('style', root, '', {}, style);
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Node & ParentNode} parent
 * @param {string} [name]
 * @param {Record<string, string | number>} [attributes]
 * @param {string} [text]
 */
function make(tag, parent, name = '', attributes = {}, text = '') {
  const made = document.createElement(tag);
  made.className = name;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, /** @type {string} */ (value));
  made.textContent = text;
  parent.append(made);
  return made;
}

/**
 * @param {Node | null} node
 * @param {string} text
 */
function write(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

/**
 * @param {any} node
 * @param {string} text
 */
function writeMessage(node, text) {
  if (node.textContent !== text) node.replaceChildren(...withLinks(text));
}
