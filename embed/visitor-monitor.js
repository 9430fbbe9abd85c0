// @ts-check
/*
 * Visitor Monitor, the embed script: reports to the collector which page a visitor is on.
 *
 *   <script async src="https://HOST/embed/visitor-monitor.js" data-site="KEY"></script>
 *
 * docs/embed.md explains the tag, its other forms and the page's API, docs/beacon.md what is sent.
 * `python embed/build.py` writes the minified file that the collector serves.
 *
 * It must never harm the page: all that the page or the browser calls is wrapped in `safe`, nothing
 * is written to the console (but one warning where no key is found), no cookie is set. Times are milliseconds unless a name says seconds.
 */
import {
  ACTIVE_FOR,
  BARE_KEYS,
  LONGEST_BEACON,
  LONGEST_PRESENCE,
  MAX_EVENTS,
  OWN_LINK_KEY,
  OWN_LINK_WORD,
  REFUSED_FOR_GOOD,
  VALUE_KEYS,
  VISIT_ENDS_AFTER,
} from './core.js';
import { ask } from './document.js';
import { json } from './json.js';

/**
 * @import {AcceptedBody, Attributes, BeaconEvent, BeaconHead, EventFields, VisitorMonitor} from './types.js'
 * @import {ChatNews, EndReason, Host, Listeners, PageContext, TakeOffer} from './types.js'
 */

/**
 * A visit, shared by its events, so that an id given by the collector reaches them all.
 *
 * @typedef {{id: string}} VisitRef
 */
/**
 * An event: its visit, its moment, and its fields.
 *
 * @typedef {[VisitRef, number, EventFields & {n: number, a: number}]} QueuedEvent
 */
/**
 * What the tag says: its attributes, and where requests go.
 *
 * @typedef {{[name: string]: string | undefined, site: string, base: string}} Options
 */
/**
 * Debounced work, with its timer.
 *
 * @typedef {(() => any) & {timer?: number}} TimedWork
 */

(() => {
  const SLOWER_AFTER = 300_000; // without an interaction presence is sent less often
  const SETTLE = 60; // changes of the address within this time are one page view, of the last address
  const FRESH_FOR = 1_000; // after a view an address that is replaced is the same page, and a title is its own
  const AFTER_START = 1_000; // the first page view waits no longer for the modules that add to it
  const ACTIVITY_STEP = 1_000;
  const ANSWER_WITHIN = 10_000;
  const LONGEST_PAUSE_SECONDS = 60;
  const EVENTS_KEPT = 50; // three beacons, below the 64 KiB that a page may send while it unloads

  const DONE = /^20|400|413/; // accepted, or no try of these events would be
  /** Of the script or the collector: where the collector is, the script's file, the query. */
  const addressParts = /^(\w+:..[^?#]+?)((?:\/embed)?\/visitor-monitor(?:\.[^/?#]*)?\.js|\/?)(\?[^#]*|)(#|$)/;

  // Both throw where the browser blocks storage.
  /** @type {Host['read']} */
  const read = safe((key) => localStorage.getItem(key));
  /** @type {Host['write']} */
  const write = safe((key, value) => {
    value ? localStorage.setItem(key, value) : localStorage.removeItem(key);
    return true;
  });

  safe(begin)();

  function begin() {
    const stub = window.visitorMonitor;
    const options = !stub?.loaded && location.host && findOptions(stub);
    if (options && (window === top || options.frames === 'yes')) track(options, stub);
  }

  /**
   * @param {Options} options
   * @param {VisitorMonitor} [stub] that took the page's calls so far
   */
  function track(options, stub) {
    // By their full names: pages have variables called history and navigation.
    /** @type {any} */
    const { fetch, navigation } = window;
    const isPrivate = navigator.globalPrivacyControl;
    const tab = randomId();
    const clockStart = Date.now() - pageAge();

    let isStoring = !isPrivate && options.storage !== 'none';
    let isConsented = options.consent !== 'required';
    let isRefused = isPrivate && options.gpc === 'skip';
    let isRunning = false;
    let isShown = false;

    /** @type {VisitRef | null | undefined} */
    let visit;
    /** The visit in which the page was counted last. @type {typeof visit} */
    let viewedVisit;
    /** The page that was counted last. @type {string | null | undefined} */
    let viewedPage = null;
    /** The page that the address bar shows. @type {string | undefined} */
    let openPage;
    /** The number of the page view that was counted last. @type {number} */
    let viewNumber;
    /** What was told of its page last. @type {EventFields} */
    let viewed;
    /** When it was counted, or its address replaced. @type {number} */
    let viewedAt;
    /** The title that the open page had while it was looked at. @type {string} */
    let title;
    let activeAt = 0;
    /** The query with which the visitor arrived, and behind it the keys that stand behind a `#`. */
    const landing = query(location.search + location.hash.replace(/[#?]/g, '&'));
    /** Whether the next page view tells where the visitor came from. */
    let isArrival = true;
    /** Its click ids, as embed/visitor-monitor-click-ids.js knows them. @type {string | undefined} */
    let clickIds;
    /** How many modules the first page view waits for. */
    let awaited = 0;

    /** @type {string | undefined} */
    let visitor;
    /** The context that the page itself has set. @type {string | undefined} */
    let ownContext;
    /** What the page has told of the cart, until an event tells it. @type {Pick<BeaconEvent, 'cv' | 'cc'> | null} */
    let cart;
    /** @type {((isNewPage?: boolean) => PageContext | undefined) | undefined} */
    let readSignal;
    /** @type {string | undefined} */
    let timeZone;
    /** @type {Attributes | undefined} */
    let attributes;
    /** @type {Listeners} */
    const listeners = {};

    let number = 0;
    /** @type {QueuedEvent[]} */
    let queue = [];
    let presenceSeconds = 20;
    let failures = 0;
    /** Until then only a leaving page sends: a beacon waits for its answer, or a failure has a pause. */
    let waitUntil = 0;
    let changedAt = 0;

    /** @type {Promise<TakeOffer> | null | undefined} */
    let chatModule;
    let chatFile = 'chat';
    /** What looks for other chats, once the collector has answered. @type {Promise<void> | undefined} */
    let adapters;

    /** @type {Record<string, (value: any, listener?: any) => void>} */
    const commands = {
      identify(pairs) {
        if (isPrivate) return;
        attributes = Object.fromEntries(
          Object.entries({ ...attributes, ...pairs }).map(([key, value]) => [key, [value] + '']),
        );
        if (viewedVisit) add({ e: 'i', i: attributes });
      },
      context(word, worth) {
        ownContext = word + '';
        changed();
        if (worth) cart = { cv: worth.value + '', cc: worth.currency + '' };
      },
      page() {
        viewedPage = null;
        changed();
      },
      chat(report) {
        if (isShown && isDue()) view(); // only a page view opens a visit
        if (viewedVisit) add({ e: 'c', s: report + '' });
      },
      on(/** @type {keyof Listeners} */ name, listener) {
        listeners[name] = safe(listener);
      },
      consent(isGiven) {
        isConsented = isGiven;
        isGiven ? start() : forget('consent');
      },
      optOut() {
        forget('opt_out');
        write('vm-off', '1');
      },
      optIn() {
        write('vm-off');
        start();
      },
    };
    /** @type {Window['visitorMonitor']} */
    const monitor = safe((name, value, listener) => {
      addressChanged(); // the call is about the page that is open now
      commands[name](value, listener);
    });
    /** @type {Host} */
    const host = {
      ...options,
      tab,
      listeners,
      fetch,
      ask,
      json,
      read,
      write,
      visit: () => join()?.id || '',
      isStoring: () => isStoring,
      isRunning: () => !isOff() && isRunning,
    };
    const call = (/** @type {[string, ...any]} */ words) => monitor(...words);
    window.visitorMonitor = monitor;
    monitor.loaded = true;
    monitor.q = { push: call }; // for a page that kept hold of the stub

    /** @type {Record<string, (event: any) => any>} */
    const events = {
      pagehide: leave,
      // Back from the back/forward cache: the page is counted again.
      pageshow(event) {
        if (!event.persisted) return;
        waitUntil = 0; // Firefox never settles a request that was under way
        viewedPage = null;
        visibilityChanged();
      },
      focus: (event) => event.target === window && visibilityChanged(),
      visibilitychange: visibilityChanged,
      online() {
        waitUntil = 0;
        send();
      },
      popstate: addressChanged,
      // Not `scroll`: the browser marks that event as trusted even when a script scrolls.
      pointermove: interact,
      wheel: interact,
      keydown: interact,
      click: interact,
    };
    const handle = safe((event) => events[event.type](event));

    navigation?.addEventListener?.('currententrychange', safe((event) => addressChanged(event.navigationType)));
    new MutationObserver(titleChanged).observe(ask('head'), {
      subtree: true,
      childList: true,
      characterData: true,
    });
    listen();
    addressChanged();
    const word = landing.get(OWN_LINK_KEY);
    if (word) write('vm-own', /** @type {any} */ (word === OWN_LINK_WORD && isStoring) && '1');
    send();
    start();
    stub?.q.forEach(call);

    // What the visitor does

    /** Again with each presence: `document.open()` takes all listeners away. */
    function listen() {
      for (const name of Object.keys(events)) {
        // On the window, in the capture phase: before the page can stop an event.
        window.addEventListener(name, handle, { capture: true, passive: true });
      }
    }

    /** @param {any} [how] "replace" or "replaceState" where the address took the place of the last one */
    function addressChanged(how) {
      const before = openPage;
      // A slash at the end is no other page.
      openPage = [pagePath(), contextQuery(), options.hash && location.hash].join().replace('/,', ',');
      if (openPage === before) return;
      if (viewedPage === before) {
        if (how?.[0] === 'r' && now() - viewedAt < FRESH_FOR) {
          if (viewed.e > 'h') later(presence, AFTER_START);
          viewed = describe('h'); // not told yet
          viewedPage = openPage;
          viewedAt = now();
          return;
        }
        const last = { ...describe('p'), u: viewed.u, q: viewed.q };
        if (isShown && json(last) !== json(viewed)) add(last);
      }
      ownContext = undefined;
      readSignal?.(true);
      changed();
    }

    /** Begin to send, unless the visitor or the site does not allow it (yet). */
    function start() {
      if (isRunning || isRefused || !isConsented || isOff()) return;
      isRunning = true;
      if (isStoring && options.remember === 'yes') {
        write('vm-id', (visitor = read('vm-id') || randomId()));
      }
      if (options.signals === 'yes') loadFirst('signals').then((read) => (readSignal = read));
      // Only the page view that opens a visit tells where the visitor came from.
      if (!join() && landing + '') loadFirst('click-ids', landing).then((names) => (clickIds = names));
      if (!navigation?.currentEntry) load('history', safe(addressChanged)).catch(safe);
      visibilityChanged();
    }

    /**
     * What the module's function returns; the adapters of other chats have none.
     *
     * @param {string} name
     * @param {any[]} values
     */
    async function load(name, ...values) {
      const module = await import(options.base + '/embed/visitor-monitor-' + name + '.js');
      return module.default?.(...values);
    }

    /**
     * The same of what the first page view waits for, though not for long; undefined if it does not load.
     *
     * @param {string} name
     * @param {any} [value]
     */
    async function loadFirst(name, value) {
      awaited++;
      const found = await load(name, value).catch(() => {});
      awaited--;
      changed();
      return found;
    }

    /**
     * Hand the collector's offer to the chat, which is loaded at the first one.
     *
     * @param {ChatNews} [offer]
     */
    function chat(offer) {
      chatModule ||= load(chatFile, host);
      chatModule
        .then(
          (take) => take(offer),
          () => {
            chatModule = null;
            chatFile += '.js?'; // browsers cache the failure of an address
          },
        )
        .catch(safe);
    }

    /** @param {EndReason} w for the agent, if the visitor chats */
    function forget(w) {
      const k = read('vm-chat');
      host.stop?.();
      isRunning = false;
      visit = viewedVisit = viewedPage = null;
      queue = [];
      write('vm-chat');
      write('vm-id');
      write('vm');
      if (k || chatModule) chat({ w, k });
    }

    /** The visitor has opted out, or is one of the site's own people. */
    function isOff() {
      return read('vm-off') || read('vm-own');
    }

    /** The page came into view, got the focus, or went out of view. */
    function visibilityChanged() {
      if (ask('hidden')) return leave();
      isShown = true;
      // For a conversation that began on another page, or in another tab in the meantime.
      if (isRunning && isStoring && read('vm-chat')) chat();
      changed();
    }

    function leave() {
      if (!isShown) return;
      host.stop?.();
      addressChanged();
      if (changedAt && isDue()) view();
      clearTimeout(/** @type {TimedWork} */ (settle).timer);
      changedAt = 0;
      if (viewedVisit && join()) add(describe('h'));
      isShown = false;
      send(true);
    }

    /** @param {Event} event */
    function interact(event) {
      const quiet = now() - activeAt;
      later(addressChanged, SETTLE);
      if (!event.isTrusted || !isRunning || quiet < ACTIVITY_STEP) return;
      join(true);
      if (viewedVisit !== visit || quiet >= ACTIVE_FOR) changed();
    }

    /** Let the page settle (its title changes after its address), then report it. */
    function changed() {
      if (!isRunning || !isShown) return;
      changedAt ||= now();
      later(settle, SETTLE);
    }

    function settle() {
      if (
        !viewedVisit &&
        (ask('readyState') === 'loading' ||
          (awaited && now() - changedAt < AFTER_START))
      ) {
        return later(settle, SETTLE); // `leave` does not wait for them
      }
      isDue() ? view() : presence();
      changedAt = 0;
    }

    function isDue() {
      return isRunning && (viewedPage !== openPage || (join() && viewedVisit !== visit));
    }

    function view() {
      join(true);
      const isNew = viewedVisit !== visit;
      viewedVisit = visit;
      title = ask('title');
      viewedPage = openPage;
      viewedAt = now();
      viewNumber = number + 1;
      add(
        {
          ...(viewed = describe('p')),
          e: 'v',
          l: navigator.language,
          y: navigator.maxTouchPoints,
          wd: /** @type {any} */ (navigator.webdriver) | 0,
          // Where the visitor came from: only the first page view of a page load knows that.
          ...(isArrival && {
            r: ask('referrer').replace(/[?#].*/, ''),
            c: landing.get('utm_source'),
            m: landing.get('utm_medium'),
            g: landing.get('utm_campaign'),
            j: clickIds,
          }),
        },
        changedAt,
      );
      isArrival = false;
      if (isNew && attributes) add({ e: 'i', i: attributes });
      schedulePresence();
    }

    function presence() {
      listen();
      if (ask('hidden')) leave();
      addressChanged();
      readTitle();
      if (isShown && viewedVisit && viewedPage === openPage && join()) {
        if (queue.length < EVENTS_KEPT) add((viewed = describe('p')));
        schedulePresence();
      }
    }

    function schedulePresence() {
      later(
        presence,
        viewed?.e === 'h' // an answer does not put off what is to be told soon
          ? AFTER_START
          : Math.min(presenceSeconds * (now() - activeAt < SLOWER_AFTER ? 1_000 : 3_000), LONGEST_PRESENCE),
      );
    }

    // The visit

    /**
     * The live visit, if there is one: the one that all tabs of the browser share, or without storage
     * this page's. `isActivity` renews it, or begins a new one.
     *
     * @param {boolean} [isActivity]
     */
    function join(isActivity) {
      /** @type {any} */
      const kept = isStoring && /^(\w{16,40})\.(\d+)/.exec(/** @type {any} */ (read('vm')));
      const [, id, at] = kept || [];
      if ((id ? Date.now() - at : now() - activeAt) >= VISIT_ENDS_AFTER || !(id || visit)) {
        if (!isActivity) return;
        visit = { id: isStoring ? randomId() : '' };
      } else if (id && visit?.id !== id) visit = { id };
      if (isActivity) {
        activeAt = now();
        if (isStoring && !write('vm', /** @type {VisitRef} */ (visit).id + '.' + Date.now())) {
          isStoring = false;
          /** @type {VisitRef} */ (visit).id = ''; // the collector derives one that is the same on each page
        }
      }
      return visit;
    }

    // The page

    /** Applications change the address first, or the title: a late one may be that of the next page. */
    function titleChanged() {
      if (ask('title') !== title) now() - viewedAt < FRESH_FOR ? changed() : later(readTitle, AFTER_START);
    }

    /** Titles blink, or call the visitor back, while nobody looks. */
    function readTitle() {
      if (document.hasFocus()) title = ask('title');
    }

    /** The path, the query keys that data-query allows and, under data-hash, the route. */
    function pagePath() {
      const allowed = [...query()].filter(([name]) => options.query?.split(/[\s,]+/).includes(name));
      return (
        location.pathname +
          (allowed[0] ? '?' + query(allowed) : '') +
          (options.hash ? location.hash.replace(/^#\w+=.*|[?&=].*/, '') : '')
      );
    }

    /** What distinguishes a shop's pages with the same path; never what the visitor typed. */
    function contextQuery() {
      const words = [...query()].flatMap(([name, value]) => {
        if (VALUE_KEYS.test(name)) return name + '=' + value;
        return value && BARE_KEYS.test(name) ? name : [];
      });
      return words.join('&') + location.hash.replace(/^(?!#!?\/).*|[?&].*/, '');
    }

    /**
     * @param {BeaconEvent['e']} kind
     * @returns {EventFields}
     */
    function describe(kind) {
      return {
        p: viewNumber,
        e: kind,
        u: pagePath(),
        q: contextQuery(),
        d: title,
        x: ownContext,
        xs: readSignal?.(),
        z: timeZone,
        f: +document.hasFocus(),
      };
    }

    // The way to the collector

    /**
     * Ages are seconds with one decimal, so that views which go together keep their order.
     *
     * @param {EventFields} fields
     */
    function add(fields, at = 0) {
      at ||= now();
      queue.push([/** @type {VisitRef} */ (visit), at, { ...fields, ...cart, n: ++number, a: (((at - activeAt) / 100) | 0) / 10 }]);
      cart = null;
      later(send);
    }

    /**
     * Send the oldest events, one beacon at a time; when the page leaves, all of them at once.
     *
     * @param {boolean} [isLeaving]
     */
    function send(isLeaving, events = queue) {
      if (isOff()) forget('opt_out'); // perhaps in another tab
      if (!isRunning || !events[0]) return;
      if (!isLeaving && waitUntil > now()) return later(send, waitUntil - now());
      const batch = events.filter(([its]) => its === events[0][0]).slice(0, MAX_EVENTS);
      while (batch[1] && envelope(batch).length > LONGEST_BEACON) batch.pop();
      post(batch);
      if (isLeaving) send(isLeaving, events.filter((event) => !batch.includes(event)));
    }

    /** @param {QueuedEvent[]} batch */
    function envelope(batch) {
      const events = batch.map(([, at, fields]) =>
        json({ ...fields, o: (((now() - at) / 100) | 0) / 10 }),
      );
      return (
        json(
          /** @type {BeaconHead} */ ({ v: 1, k: options.site, s: batch[0][0].id, t: tab, w: visitor }),
        ).slice(0, -1) + ',"b":[' + events + ']}'
      );
    }

    /**
     * Post one beacon. Its wait has an end of its own: a browser may abandon a request unsettled.
     *
     * @param {QueuedEvent[]} batch
     */
    async function post(batch) {
      const sent = batch[0][0];
      let pause = Math.min(2 ** failures++, LONGEST_PAUSE_SECONDS) * (500 + 1000 * Math.random());
      waitUntil = now() + ANSWER_WITHIN + pause;
      later(send);
      try {
        const answer = await fetch(options.base + '/v1/beacon', {
          method: 'POST',
          body: envelope(batch),
          keepalive: true,
          credentials: 'omit',
        });
        /** @type {any} */
        const status = answer.status;
        /** @type {any} */
        const reason = answer.headers.get('X-Drop-Reason');
        pause = Math.min(/** @type {any} */ (answer.headers.get('Retry-After')) * 1000, VISIT_ENDS_AFTER) || pause;
        if (status === 200) accept(await answer.json(), sent);
        isRefused ||= REFUSED_FOR_GOOD.test(status);
        isRunning &&= !isRefused;
        if (sent === viewedVisit && /o_v|er/.test(reason)) {
          // no_visit or visit_over, but not own_visit: the next interaction opens one.
          viewedVisit = null;
          isArrival = reason[0] === 'n';
        }
        if (DONE.test(status)) {
          queue = queue.filter((event) => !batch.includes(event));
          failures = pause = 0;
        }
      } catch {
        // Not reached, or not an answer of the collector: try again in each case.
      }
      waitUntil = now() + pause;
      later(send);
    }

    /**
     * @param {AcceptedBody} answer
     * @param {VisitRef} sent
     */
    function accept(answer, sent) {
      if (!isRunning) return;
      if (!isPrivate && answer.s && answer.s !== sent.id) {
        sent.id = answer.s;
        if (isStoring && sent === visit) write('vm', sent.id + '.' + Date.now());
      }
      if (answer.i) presenceSeconds = answer.i;
      schedulePresence(); // effective at once: a rule may fall due before
      if (answer.z) load('time-zone').then((zone) => (timeZone = zone), safe);
      adapters ||= load('adapters', load, () => isRunning).catch(safe);
      // Once the chat is loaded it also gets that nothing is offered any more.
      if (answer.c || chatModule) chat({ ...answer.c });
      if (answer.l) load('listen', host, chat).catch(safe);
    }

    /**
     * Time since the page began, by the clock that shows more: one stops while the computer sleeps,
     * the other may be set back.
     */
    function now() {
      return Math.max(pageAge(), Date.now() - clockStart);
    }
  }

  /**
   * What the page says by `visitorMonitor('site', key, address)`, or else our tag, by its attributes or
   * in its address. A tag is known as ours by its address: other vendors have the same attributes.
   *
   * @param {VisitorMonitor} [stub]
   * @returns {Options | undefined}
   */
  function findOptions(stub) {
    const current = /** @type {HTMLScriptElement} */ (ask('currentScript'));
    const readTag = (/** @type {HTMLScriptElement} */ tag) => tag && readOptions(tag.src, tag.dataset);
    const tags = [...ask('scripts')].filter(readTag);
    const all = [current, ...tags].map(readTag);
    const called = [...(stub?.q || [])].find(([word]) => word === 'site') || [];
    const options = {
      ...(all.find((each) => each?.site) || all[0] || all[1]),
      ...readOptions(called[2]),
      ...(called[1] && { site: called[1] }),
    };
    if (options.site && options.base) return /** @type {Options} */ (options);
    // Of several tags without a key, the first one says so.
    if (tags.indexOf(current) < 1) {
      // oxlint-disable-next-line no-console -- it is where a website's developer looks
      console.warn('Visitor Monitor: no data-site');
    }
    return undefined;
  }

  /**
   * @param {string} address of a tag, or else of the collector
   * @param {DOMStringMap} [attributes] of the tag
   * @returns {DOMStringMap | undefined} none of another vendor's tag
   */
  function readOptions(address, attributes) {
    const [, place, file, search] = addressParts.exec(address) || [];
    if (!place || (attributes && !file[1])) return;
    /** @type {DOMStringMap} */
    const options = { ...Object.fromEntries(query(search)), ...attributes };
    options.base = (options.api || place).replace(/\/$/, '');
    return options;
  }

  /**
   * The work, wrapped so that no error reaches the page.
   *
   * @template {any[]} Values
   * @param {(...values: Values) => any} work
   * @returns {(...values: Values) => any}
   */
  function safe(work) {
    return (...values) => {
      try {
        return work(...values);
      } catch {
        // The page goes on as without the script.
      }
    };
  }

  /**
   * Debounce the work: it runs once, after the last given wait.
   *
   * @param {TimedWork} work
   * @param {number} [wait]
   */
  function later(work, wait) {
    clearTimeout(work.timer);
    work.timer = setTimeout(safe(work), wait);
  }

  /** By the browser's clock, or 0 where the page has a `performance` of its own. */
  function pageAge() {
    return window.performance?.now?.() || 0;
  }

  /** @param {string | string[][]} [text] the text or pairs of a query; the page's when not given */
  function query(text = location.search) {
    return new window.URLSearchParams(text);
  }

  /** Sixteen of a-z0-9; crypto.randomUUID is missing on plain http. */
  function randomId() {
    return [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => (byte % 36).toString(36))
      .join('');
  }
})();
