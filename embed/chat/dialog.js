/*
 * Visitor Monitor, the visitor's side of the chat: a small dialog at the page's lower right.
 *
 * A module that the embed script loads once there is something to say. docs/chat.md explains what it
 * does and what it sends. It must never harm the page: nothing is thrown into it or moved in it, text
 * is text, and the focus is taken only for a visitor who asked for the chat.
 *
 * host: {base, site, tab, visit(), isStoring(), isRunning(), read(key), write(key, value), listeners}
 */

const KEY = 'vm-chat';
const TICK = 500; // how often it is looked at what nobody tells: the time, a script that was switched off
const ANNOUNCED_AFTER = 100; // screen readers tell what is added to a log that they know already
const TYPING_FOR = 6_000;
const TYPING_STEP = 3_000;
const SLOW_AFTER = 2_000;
const ANSWER_WITHIN = 10_000;
const UPDATE_WITHIN = 6_000; // else something on the way holds the stream back
const HEARTBEAT_WITHIN = 40_000; // the collector's comes every 15 seconds, a poll's answer after 25
const STREAM_AGAIN_AFTER = 120_000;
const POLL_AGAIN_AFTER = 200;
const LONGEST_PAUSE = 6_000;
const MOST_TRIES = 2; // of a message that the collector understands and cannot take

const INVITED = /queued|delivered|shown/;
const OVER = /ended|left|dismissed|expired/;

const style = `
.box {
  all: initial; display: contents; color-scheme: light dark; color: CanvasText;
  font: 16px/1.4 system-ui, sans-serif; overflow-wrap: anywhere;
}
[hidden] { display: none !important }
button, .field { all: unset; box-sizing: border-box; padding: 8px 16px; border: 1px solid #8886; border-radius: 16px; cursor: pointer }
:focus-visible { outline: 2px solid #7186f5; outline-offset: 1px }
.card, .pill { animation: come .2s; position: fixed; z-index: 2147483647; right: calc(16px + env(safe-area-inset-right)); bottom: calc(16px + env(safe-area-inset-bottom)); box-shadow: 0 8px 32px #0003 }
.card, .off { clip-path: inset(50%) }
.off { position: absolute }
.on .card {
  clip-path: none; display: flex; flex-direction: column; box-sizing: border-box;
  width: 340px; max-height: calc(100vh - 32px); padding: 10px 16px 16px;
  background: Canvas; border: 1px solid #8886; border-radius: 16px;
}
.tall .card { height: 480px }
.head, .foot { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; justify-content: end }
.title, .field { flex: 1; min-width: 0 }
.head { min-height: 40px }
.head button { padding: 4px 10px; margin-right: -10px; border-color: #0000 }
.log { flex: 1; overflow: auto; overscroll-behavior: contain }
.line { width: fit-content; max-width: 85%; box-sizing: border-box; margin-bottom: 8px; padding: 8px 16px; border-radius: 16px; white-space: pre-wrap; unicode-bidi: plaintext; background: #8882 }
.mine { margin-left: auto }
.main { min-width: 80px; text-align: center }
.main, .mine { background: #4257d6; border-color: #0000; color: #fff }
.name, .note { display: block; width: 100%; font-size: 13px }
.note, .head button, ::placeholder { color: inherit; opacity: .75 }
.tall .note { min-height: 19px }
.field { max-height: 110px; field-sizing: content; white-space: pre-wrap; overflow: auto; cursor: text }
.pill { padding: 10px 16px }
.badge { margin-left: 4px; padding: 0 8px; border-radius: 16px; background: #fff; color: #4257d6 }
@media (max-width: 480px) {
  .on .card { right: 0; bottom: 0; width: 100%; max-height: 65vh; padding-bottom: calc(16px + env(safe-area-inset-bottom)); border-radius: 16px 16px 0 0 }
}
@keyframes come { from { opacity: 0 } }
@media print { .box { display: none } }
`;

let take;
export default (host) => (take ||= begin(host));

function begin(host) {
  let isBegun, isRefused;
  let button, exitRule; // what the site offers: 1 to chat, 2 to leave a message
  let token; // the conversation's secret
  let forgotten = '-'; // that of the one before
  let chat, messages, cursor; // its newest update, its messages by number, the revision known so far
  let isOpen, isJoined, isAsking; // not minimised; the visitor wants to chat; "End this chat?"
  let parting; // the state in which the visitor leaves it, on its way to the collector
  let outbox, isTelling, hurry; // what is to be told, in order
  let lost; // messages that were not taken, and will not be
  let life, channel, stalled, ticker, before;
  let kept, keptText; // what this tab had on the page before, and has now
  let streamAt = 0;
  let failures = 0;
  let typedAt = 0;
  let typingUntil = 0;
  let lines; // of the log, by their message

  const element = document.createElement('visitor-monitor-chat');
  const root = element.attachShadow({ mode: 'open' });
  const box = make('div', root, 'box', { lang: 'en' });
  const card = make('div', box, 'card', { role: 'dialog' });
  const head = make('div', card, 'head');
  const title = make('b', head, 'title');
  const less = make('button', head, '', { 'aria-label': 'Minimise' }, '–');
  const end = make('button', head, '', {}, 'End');
  const log = make('div', card, 'log', { role: 'log', 'aria-live': 'polite', 'aria-label': 'Messages' });
  const foot = make('div', card, 'foot');
  const note = make('div', foot, 'note', { role: 'status' });
  const field = make('textarea', foot, 'field', {
    rows: 1, maxlength: 2000, enterkeyhint: 'send', 'aria-label': 'Message', placeholder: 'Write a message',
  });
  const main = make('button', foot, 'main');
  const other = make('button', foot);
  const pill = make('button', box, 'pill main');
  const pillText = make('b', pill);
  const badge = make('b', pill, 'badge');

  const draw = safe(drawAll);
  const flush = safe(tellAll);

  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    make('style', root, '', {}, style);
  }
  forget();
  listen(window, 'visibilitychange online', look);
  listen(window, 'pointerout', leaving);
  // Without storage the next page cannot go on with it.
  listen(window, 'pagehide', () => token && !host.isStoring() && post('end'));
  listen(box, 'focusin', ({ relatedTarget }) => {
    if (relatedTarget && !root.contains(relatedTarget)) before = relatedTarget;
  });
  listen(box, 'keydown keypress keyup', pressed);
  listen(field, 'input', typed);
  listen(less, 'click', minimise);
  listen(end, 'click', () => {
    isAsking = true;
    draw();
    other.focus();
  });
  listen(pill, 'click', () => {
    before = pill;
    join();
  });

  return safe((offer) => {
    if (!isRunning()) return draw();
    if (!isBegun) resume();
    if (offer?.k) {
      draw();
      attach();
      invited(offer);
    } else if (offer) {
      button = offer.b;
      exitRule = offer.r;
    }
    later(go, ANNOUNCED_AFTER);
  });

  // The conversation

  function resume() {
    isBegun = true;
    ticker = setInterval(draw, TICK);
    kept = (host.isStoring() && safe(() => JSON.parse(sessionStorage[KEY]))()) || {};
    if (kept.c && !host.read(KEY)?.startsWith(kept.c)) return;
    outbox = kept.o || [];
    field.value = kept.d || '';
    isOpen = kept.s;
  }

  function invited(offer) {
    const { k: secret, from, text } = offer;
    if (secret === token || secret === forgotten) return;
    const isWriting = isOpen && !token;
    adopt(secret);
    isJoined = isWriting;
    merge({ id: 0, state: 'delivered', from, m: [{ n: 1, a: 1, x: text, f: from, i: 0 }] });
    share();
    host.listeners.invite?.({ from, text });
  }

  /** From now on this is the conversation; what waits to open one is said in it. */
  function adopt(secret) {
    const unsent = token ? [] : outbox;
    sleep();
    forget();
    outbox = unsent;
    token = secret;
    isOpen = true;
  }

  function forget() {
    chat = { id: 0, read: 0, state: '' };
    messages = [];
    outbox = [];
    lost = [];
    cursor = 0;
    token = parting = '';
    isOpen = isJoined = isAsking = false;
    lines = {};
    log.textContent = '';
  }

  /** Take in what the collector says, and tell the other tabs. */
  function received(update) {
    merge(update, update.id);
    share();
    settle();
  }

  /** `upTo`: nothing before this revision is missing. */
  function merge(update, upTo = 0) {
    for (const message of update.m) {
      messages[message.n] = message;
      outbox = outbox.filter((item) => item.n !== message.i);
    }
    cursor = Math.max(cursor, upTo);
    if (update.id < chat.id) return;
    const { read } = chat;
    chat = { ...chat, ...update };
    if (read > chat.read) chat.read = read;
    if (chat.state === 'open') isJoined = true;
    if ('typing' in update) typingUntil = update.typing && Date.now() + TYPING_FOR;
  }

  function settle() {
    if (OVER.test(chat.state)) {
      sleep();
      forgotten = token || forgotten;
      token = '';
      // What came too late for a message that was left is left as the next one.
      if (chat.state === 'left') outbox = outbox.filter((item) => (item.do = 'open'));
      else {
        lost.push(...outbox.filter((item) => item.x));
        outbox = [];
      }
    }
    draw();
  }

  /** The collector's last word: not on this site, or no such conversation (any more). */
  function refused(status) {
    if (status === 403) isRefused = true;
    chat.state = isJoined ? 'ended' : 'dismissed';
    settle();
  }

  function stop() {
    sleep();
    clearInterval(ticker);
    forget();
    field.value = '';
    keep();
    button = exitRule = isBegun = 0;
    element.remove();
  }

  // What the visitor does

  function join() {
    if (INVITED.test(chat.state) && !isJoined) tell({ do: 'accept' });
    isOpen = isJoined = true;
    isAsking = false;
    draw();
    field.focus();
  }

  function decline() {
    parting = 'dismissed';
    tell({ do: 'dismiss' });
    leave();
  }

  function finish() {
    parting = 'ended';
    tell({ do: 'end' });
    main.focus();
  }

  function minimise() {
    if (OVER.test(chat.state)) isJoined = false;
    isOpen = isAsking = false;
    leave();
  }

  /** Draw what is left of the dialog, and give the focus back. */
  function leave() {
    const hadFocus = root.activeElement;
    draw();
    if (hadFocus) (before?.isConnected ? before : pill).focus();
  }

  function say() {
    const text = field.value.replace(/\p{Cs}/gu, '').trim();
    field.value = '';
    field.focus();
    // Up to 30 digits; crypto.randomUUID is missing on plain http.
    const id = crypto.getRandomValues(new Uint32Array(3)).join('');
    if (text) tell({ do: token || outbox.length ? 'send' : 'open', n: id, x: text, at: Date.now() });
  }

  function typed() {
    draw();
    if (chat.state === 'open' && field.value && Date.now() - typedAt > TYPING_STEP) {
      typedAt = Date.now();
      return post('typing');
    }
  }

  function pressed(event) {
    event.stopPropagation(); // the page's own shortcuts are not meant
    if (event.type !== 'keydown' || event.keyCode === 229 /* an input method composes */) return;
    if (event.key === 'Escape') minimise();
    else if (event.key === 'Enter' && event.target === field && !event.shiftKey) say();
    else return;
    event.preventDefault();
  }

  /** Out at the top of the page, by mouse: a rule may have words for who is about to leave. */
  async function leaving(event) {
    const isOut = !event.relatedTarget && event.clientY <= 0 && event.pointerType === 'mouse';
    if (!isOut || !exitRule || token || !isRunning()) return;
    const rule = exitRule;
    exitRule = '';
    const reply = await post('open', { s: host.visit(), t: host.tab, r: rule });
    if (reply.status === 200) take(await reply.json());
  }

  function look() {
    sleep();
    failures = 0;
    hurry?.();
    if (!document.hidden) return go();
    channel?.close(); // a page that could hear something is not kept for Back
    channel = null;
  }

  function isRunning() {
    return !isRefused && host.isRunning() && !host.read('vm-off');
  }

  function go() {
    const [found, secret, isSmall] = /^(\w+)(-?)$/.exec(host.read(KEY) || '') || [];
    if (found && !token && secret !== forgotten) {
      adopt(secret);
      isOpen = secret === kept.c ? kept.s : !isSmall;
    }
    wake();
    flush();
    draw();
  }

  // What is told: in order, each until it is answered

  function tell(item) {
    outbox.push(item);
    draw();
    flush();
  }

  async function tellAll() {
    if (isTelling) return;
    isTelling = true;
    while (isBegun && outbox.length && (token || outbox[0].do === 'open')) await tellOne(outbox[0]);
    isTelling = false;
  }

  async function tellOne(item) {
    const { do: action, n, x, to } = item;
    const secret = token;
    let status, answer;
    try {
      const reply = secret
        ? await post(action === 'open' ? 'send' : action, { n, x, to })
        : await post('open', { n, x, s: host.visit(), t: host.tab });
      status = reply.status;
      if (status === 200) answer = await reply.json();
    } catch {
      // Not reached, or too slow: told again.
    }
    if (secret !== token) return;
    if (status === 403 || (secret && /404|410/.test(status))) return refused(status);
    const isHopeless = status === 400 || (status === 409 && (!x || failures >= MOST_TRIES));
    if (!answer && !isHopeless) return new Promise((done) => later((hurry = done), backoff()));
    if (x && !answer) lost.push(item);
    if (failures) sleep(); // the collector is back
    failures = 0;
    const { id, state, number, c: opened } = answer || {};
    if (opened) token = opened;
    keep();
    // The visit may have had a conversation: said in it again, the message is told its number.
    const isTold = !opened || state === 'left';
    if (isTold) outbox = outbox.filter((one) => one !== item);
    const m = x && isTold && answer && !messages[number] ? [{ n: number || 1, a: 0, x, i: n }] : [];
    merge(state ? { id, state, m } : { id: -1, m });
    share();
    // What else has ended, the stream tells with all that was said.
    state === 'left' ? settle() : draw();
    wake();
  }

  function backoff() {
    return Math.min(1000 * 2 ** failures++, LONGEST_PAUSE) * (0.5 + Math.random());
  }

  function post(action, fields, signal) {
    return fetch(host.base + '/v1/conversation/' + action, {
      method: 'POST',
      body: JSON.stringify({ v: 1, k: host.site, c: token || undefined, ...fields }),
      keepalive: !signal,
      credentials: 'omit',
      signal: signal || AbortSignal.timeout?.(ANSWER_WITHIN),
    });
  }

  // What is heard: one stream for all tabs of the browser, none while nobody looks

  function wake() {
    if (!isBegun || document.hidden) return;
    if (!channel && host.isStoring()) safe(openChannel)();
    if (life || !token) return;
    life = new AbortController();
    const { signal } = life;
    const hold = () =>
      signal.aborted || // between the grant and this call
      new Promise((release) => {
        signal.onabort = release;
        safe(follow)(signal);
      });
    if (!channel || !navigator.locks) return hold();
    channel.postMessage({ c: token });
    navigator.locks.request(KEY, { signal }, hold).catch(safe);
  }

  function sleep() {
    clearTimeout(stalled);
    life?.abort();
    life = null;
  }

  async function follow(signal) {
    while (!signal.aborted) {
      const isStream = Date.now() >= streamAt;
      if (isStream) streamAt = Date.now() + STREAM_AGAIN_AFTER; // unless it gives something
      let status;
      expect(isStream ? UPDATE_WITHIN : HEARTBEAT_WITHIN);
      try {
        const reply = await post(isStream ? 'stream' : 'poll', { after: cursor }, signal);
        status = reply.status;
        if (/403|404|410/.test(status)) return refused(status);
        if (reply.ok) failures = 0;
        if (status === 200) {
          if (isStream) await readStream(reply.body.getReader(), signal);
          else received(await reply.json());
        }
      } catch {
        // The connection broke: tried again.
      }
      if (signal.aborted) return;
      clearTimeout(stalled);
      const wait = isStream || !(status < 300) ? backoff() : POLL_AGAIN_AFTER;
      await new Promise((done) => later(done, wait));
    }
  }

  async function readStream(reader, signal) {
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      expect(HEARTBEAT_WITHIN);
      streamAt = 0;
      const parts = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = parts.pop();
      for (const part of parts) if (part.startsWith('data')) received(JSON.parse(part.slice(5)));
    }
  }

  function expect(wait) {
    clearTimeout(stalled);
    stalled = later(() => {
      sleep();
      wake();
    }, wait);
  }

  // The other tabs, and the next page

  function openChannel() {
    channel = new BroadcastChannel(KEY);
    listen(channel, 'message', ({ data: { c: secret, u: update, o: upTo } }) => {
      if (update && !token && secret !== forgotten && !OVER.test(update.state)) adopt(secret);
      if (secret !== token) return;
      if (!update) return share();
      merge(update, upTo);
      settle();
      wake();
    });
  }

  function share() {
    channel?.postMessage({ c: token, o: cursor, u: { ...chat, m: messages.filter(Boolean) } });
  }

  function keep() {
    const isNeeded = token || outbox.length || field.value;
    const text = isNeeded && JSON.stringify({ c: token, o: outbox, d: field.value, s: isOpen });
    if (text === keptText || !host.isStoring()) return;
    keptText = text;
    safe(() => (text ? (sessionStorage[KEY] = text) : delete sessionStorage[KEY]))();
    // Without a token it makes the next page load the chat, for a message that is to open one.
    if (token || outbox.length) host.write(KEY, token + (isOpen && token ? '' : '-'));
    else if (host.read(KEY)?.startsWith(forgotten)) host.write(KEY);
  }

  // What is seen

  function drawAll() {
    if (!isBegun) return;
    if (!isRunning()) return stop();
    const state = parting || chat.state;
    const isOver = OVER.test(state);
    const theirs = messages.filter((message) => message.a);
    const unread = theirs.filter((message) => message.n > chat.read);
    const unsent = outbox.filter((item) => item.x);
    const pending = [...lost, ...unsent];
    const isDone = isOver && (isOpen ? !isJoined && /dismissed|expired/.test(state) : !isJoined || !(unread.length || lost.length));
    if (isDone && !token) {
      forget();
      return draw();
    }
    const isInvited = INVITED.test(state) && !isJoined;
    const isAway = state === 'left' || (!state && button === 2);
    const isDialog = isOpen && !isDone && (state || (!token && (button || pending.length)));
    const isTall = !isInvited && !isAway && (state || pending.length);
    const isLow = unsent.length || log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const name = chat.from || (isAway ? 'Leave a message' : 'Chat');
    const { activeElement } = root;
    const [mainWord, mainWork, otherWord, otherWork] =
      isInvited ? ['Chat', join, 'No, thanks', decline]
      : isOver ? ['Close', minimise]
      : isAsking ? ['End chat', finish, 'Keep chatting', join]
      : ['Send', say];

    box.className = 'box' + (isDialog ? ' on' : '') + (isTall ? ' tall' : '');
    head.hidden = foot.hidden = !isDialog;
    log.tabIndex = isDialog ? 0 : -1;
    pill.hidden = isDialog || isDone || !(state || (button && !token));
    badge.hidden = !unread.length;
    less.hidden = isOver;
    field.hidden = mainWork !== say;
    end.hidden = field.hidden || !state;
    other.hidden = !otherWork;
    main.onclick = safe(mainWork);
    other.onclick = safe(otherWork);
    card.setAttribute('aria-label', name);
    write(title, name);
    write(pillText, name + ' ');
    write(badge, unread.length + ' new');
    write(main, mainWord);
    write(other, otherWord || '');
    write(note, noteText());
    drawLines([...messages.filter(Boolean), ...pending]);
    if (isDialog || !pill.hidden) attach();
    if (isLow) log.scrollTop = log.scrollHeight;
    if (activeElement?.hidden) main.focus();
    keep();

    if (!isDialog || document.hidden) return;
    if (/queued|delivered/.test(state)) {
      chat.state = 'shown';
      tell({ do: 'shown' });
    }
    if (state === 'open' && unread.length) {
      chat.read = theirs.pop().n;
      tell({ do: 'read', to: chat.read });
    }

    function noteText() {
      if (isOver) return state === 'left' ? 'Thank you. Your message has arrived.' : 'This chat has ended.';
      if (isAsking) return 'End this chat?';
      if (unsent.some((item) => item.at < Date.now() - SLOW_AFTER)) return 'Not sent yet. It will be tried again.';
      if (typingUntil > Date.now()) return name + ' is typing';
      if (isTall || isInvited) return '';
      return isAway ? 'Nobody is here right now. Leave a message, and say how to reach you.' : 'How can we help?';
    }
  }

  /** Nodes stay as they are: screen readers tell each new one, once. */
  function drawLines(shown) {
    shown.forEach((message, index) => {
      const line = (lines[message.a ? message.n : message.i || message.n] ||= makeLine(message));
      line.firstChild.className = message.a && message.f && message.f !== chat.from ? 'name' : 'off';
      write(line.lastChild, message.x + (lost.includes(message) ? ' (not sent)' : ''));
      if (log.children[index] !== line) log.insertBefore(line, log.children[index] || null);
    });
  }

  function makeLine(message) {
    const line = make('div', log, message.a ? 'line' : 'line mine');
    make('b', line, '', {}, (message.a ? message.f || chat.from : 'You') + ' ');
    make('span', line);
    return line;
  }

  /** Outside the body: what is last in it stays the last. */
  function attach() {
    if (!element.isConnected) document.documentElement.append(element);
  }

  // Small things

  /** Nothing that goes wrong here reaches the page, and no promise's rejection either. */
  function safe(work) {
    return (...values) => {
      try {
        const done = work(...values);
        return done?.catch ? done.catch(() => {}) : done;
      } catch {
        // The page goes on as if the chat were not there.
      }
    };
  }

  function listen(target, names, work) {
    for (const name of names.split(' ')) target.addEventListener(name, safe(work), target === window);
  }

  function later(work, wait) {
    return setTimeout(safe(work), wait);
  }

  function make(tag, parent, name = '', attributes = {}, text = '') {
    const made = document.createElement(tag);
    made.className = name;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parent.append(made);
    return made;
  }

  function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }
}
