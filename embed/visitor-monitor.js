/*
 * Visitor Monitor, the embed script: tells the collector which page a visitor looks at.
 *
 *   <script async src="https://HOST/embed/visitor-monitor.js" data-site="KEY"></script>
 *
 * docs/embed.md explains the tag and the page's API, docs/beacon.md what is sent.
 * `python embed/build.py` writes the minified file that the collector serves.
 *
 * It must never harm the page: whatever the page or the browser calls is wrapped in `safe`, nothing
 * is written to the console, no cookie is set. Times are milliseconds unless a name says seconds.
 */
(() => {
  const VISIT_ENDS_AFTER = 1_800_000;
  const IDLE_AFTER = 300_000;
  const STALE_AFTER = 60_000; // the dashboard has stopped saying "Active" by then
  const SETTLE = 60; // changes of the address within this time are one page view, the last
  const AT_LEISURE = 1_000; // the page has most likely finished its start
  const ACTIVITY_STEP = 1_000;
  const ANSWER_WITHIN = 10_000;
  const LONGEST_PAUSE_SECONDS = 60;
  const LONGEST_RETRY_AFTER_SECONDS = 600;
  const EVENTS_A_BEACON = 20;
  const BYTES_A_BEACON = 16_000;
  const EVENTS_KEPT = 50; // in three beacons, below the 64 KiB that a page may send while it leaves

  const QUERY_VALUES = /^(route|controller|action|post_type|step)$/;
  const QUERY_NAMES = /^(s|q|search(_query)?|product(_id)?|path|cgid|pid)$/;
  const CLICK_ID = /^(\w+clk?id|[gw]braid|li_fat_id|epik|rdt_cid|sccid)$/i;

  safe(begin)();

  function begin() {
    let script = document.currentScript;
    if (!script?.dataset.site) script = document.querySelector('script[data-site]');
    const options = script.dataset;
    const stub = window.visitorMonitor;
    if (stub?.loaded || !/^http/.test(location.protocol)) return;
    if (window !== top && options.frames !== 'yes') return;

    const base = options.api || new URL(script.src).origin;
    const isPrivate = navigator.globalPrivacyControl;
    const tab = randomId();
    const clockStart = Date.now() - performance.now();

    let isStoring = !isPrivate && options.storage !== 'none';
    let isConsented = options.consent !== 'required';
    let isRefused = isPrivate && options.gpc === 'skip';
    let isRunning, isShown;

    let visit; // {id}: shared by its events, so that an id given by the collector reaches them all
    let viewedVisit; // the visit in which the page was counted last
    let viewedPage; // the page that was counted last
    let openPage = pageKey(); // the page that the address bar shows
    let activeAt = 0;
    let landing = query(); // the address with which the visitor came, until it is told

    let visitor, ownContext, readSignal, timeZone, attributes;
    let awaitsSignals = options.signals === 'yes';
    const listeners = {};

    let number = 0;
    let queue = [];
    let presenceSeconds = 20;
    let sending = 0;
    let failures = 0;
    let retryAt = 0;
    let changedAt, settleTimer, presenceTimer, retryTimer;

    const commands = {
      identify(pairs) {
        attributes = cleanAttributes({ ...attributes, ...pairs });
        if (viewedVisit) identify();
      },
      context(word) {
        ownContext = cut(word, 32);
        changed();
      },
      page() {
        viewedPage = null;
        changed();
      },
      chat(report) {
        if (isShown && isDue()) view(); // only a page view opens a visit
        if (viewedVisit) add({ e: 'c', s: cut(report, 32) });
      },
      on(name, listener) {
        listeners[name] = safe(listener);
      },
      consent(isGiven) {
        isConsented = isGiven;
        isGiven ? start() : forget();
      },
      optOut() {
        forget();
        write('vm-off', '1');
      },
      optIn() {
        write('vm-off');
        start();
      },
    };
    const monitor = safe((name, ...values) => commands[name](...values));
    const call = (words) => monitor(...words);
    window.visitorMonitor = monitor;
    monitor.loaded = true;
    monitor.q = { push: call }; // for a page that kept hold of the stub

    listen('pagehide', leave);
    listen('pageshow', (event) => {
      if (event.persisted) {
        viewedPage = null; // back from the back/forward cache
        look();
      }
    });
    listen('focus', (event) => event.target === window && look());
    listen('visibilitychange', look);
    listen('DOMContentLoaded', changed);
    listen('online', retryNow);
    // Not `scroll`: the browser vouches for that event even when a script scrolls.
    for (const name of ['pointerdown', 'pointermove', 'wheel', 'keydown', 'click']) {
      listen(name, interact);
    }
    watchAddress();
    start();
    stub?.q.forEach(call);

    // What the visitor does

    /** Begin to send, unless the visitor or the page's owner does not want it (yet). */
    function start() {
      if (isRunning || isRefused || !isConsented || read('vm-off')) return;
      isRunning = true;
      if (isStoring && options.remember === 'yes') {
        visitor = read('vm-id') || randomId();
        write('vm-id', visitor);
      }
      if (awaitsSignals) {
        const ready = (module) => {
          awaitsSignals = null;
          changed();
          readSignal = module.default;
        };
        later(ready, AT_LEISURE); // by then the page view goes without them
        import(base + '/embed/visitor-monitor-signals.js').then(ready, safe);
      }
      look();
    }

    function forget() {
      isRunning = visit = viewedVisit = viewedPage = null;
      queue = [];
      write('vm');
      write('vm-id');
    }

    /** The page came into view, got the focus, or went out of view. */
    function look() {
      if (document.hidden) return leave();
      isShown = true;
      changed();
    }

    function leave() {
      if (!isShown) return;
      if (settleTimer && isDue()) view();
      clearTimeout(settleTimer);
      settleTimer = changedAt = 0;
      if (viewedVisit && join()) add(describe('h'));
      isShown = false;
      send(true);
    }

    function interact(event) {
      const quiet = now() - activeAt;
      if (!event.isTrusted || !isRunning || quiet < ACTIVITY_STEP) return;
      join(true);
      if (viewedVisit !== visit || quiet >= STALE_AFTER) changed();
    }

    /** Let the page settle (its title follows its address), then say what it shows. */
    function changed() {
      if (!isRunning || !isShown) return;
      changedAt ||= now();
      clearTimeout(settleTimer);
      settleTimer = later(settle, SETTLE);
    }

    function settle() {
      // DOMContentLoaded and the signals come back here; `leave` does not wait for them.
      if (!viewedVisit && (document.readyState === 'loading' || awaitsSignals)) return;
      isDue() ? view() : presence();
      settleTimer = changedAt = 0;
    }

    function isDue() {
      return isRunning && (viewedPage !== openPage || (join() && viewedVisit !== visit));
    }

    function view() {
      join(true);
      const isNew = viewedVisit !== visit;
      viewedVisit = visit;
      viewedPage = openPage;
      const event = describe('v');
      event.l = cut(navigator.language, 32);
      event.y = navigator.maxTouchPoints;
      event.wd = +navigator.webdriver;
      if (landing) Object.assign(event, describeLanding());
      landing = null;
      add(event, changedAt);
      if (isNew) identify();
      schedulePresence();
    }

    function presence() {
      if (!isShown || !viewedVisit || !join()) return;
      if (queue.length < EVENTS_KEPT) add(describe('p'));
      schedulePresence();
    }

    function schedulePresence() {
      const isIdle = now() - activeAt >= IDLE_AFTER;
      const seconds = isIdle ? Math.min(presenceSeconds * 3, LONGEST_PAUSE_SECONDS) : presenceSeconds;
      clearTimeout(presenceTimer);
      presenceTimer = later(presence, seconds * 1000);
    }

    function identify() {
      if (attributes && !isPrivate) add({ e: 'i', i: attributes });
    }

    // The visit

    /**
     * Whether there is a visit to take part in: the one that all tabs of the browser share, or
     * without storage this page's. With `isActivity` it is renewed, or a new one begins.
     */
    function join(isActivity) {
      const stored = isStoring && /^(\w{16,40})\.(\d+)$/.exec(read('vm'));
      const quiet = stored ? Date.now() - stored[2] : now() - activeAt;
      const isOver = quiet >= VISIT_ENDS_AFTER || !(stored || visit);
      if (isOver) {
        if (!isActivity) return false;
        visit = { id: isStoring ? randomId() : '' };
      } else if (stored && visit?.id !== stored[1]) visit = { id: stored[1] };
      if (isActivity) {
        activeAt = now();
        if (isStoring && !keepVisit()) {
          isStoring = false;
          visit.id = ''; // the collector derives one that lasts from page to page
        }
      }
      return true;
    }

    function keepVisit() {
      return write('vm', visit.id + '.' + Date.now());
    }

    // The page

    function watchAddress() {
      // By their full names: pages have variables called navigation and history.
      const { navigation, history } = window;
      if (navigation?.currentEntry) return listen('currententrychange', addressChanged, navigation);
      for (const name of ['pushState', 'replaceState']) {
        const original = history[name];
        history[name] = function (...values) {
          original.apply(this, values);
          addressChanged();
        };
      }
      listen('popstate', addressChanged);
    }

    function addressChanged() {
      const page = pageKey();
      if (page === openPage) return;
      openPage = page;
      ownContext = undefined;
      readSignal?.(1);
      changed();
    }

    function pageKey() {
      return String([pagePath(), contextQuery(), options.hash && location.hash]);
    }

    /** The path, the query keys that data-query allows and, under data-hash, the fragment's route. */
    function pagePath() {
      const allowed = (options.query || '').split(/[\s,]+/);
      const kept = String(new URLSearchParams([...query()].filter(([name]) => allowed.includes(name))));
      const route = options.hash ? location.hash.split(/[?&=]/)[0] : '';
      return cut(location.pathname + (kept && '?' + kept) + route, 1024);
    }

    /** What tells a shop's pages apart where the path does not; never what the visitor typed. */
    function contextQuery() {
      const words = [];
      for (const [name, value] of query()) {
        if (QUERY_VALUES.test(name)) words.push(name + '=' + value);
        else if (value && QUERY_NAMES.test(name)) words.push(name);
      }
      return cut(words.join('&') + (/^#!?\/[^?]*/.exec(location.hash) || ''), 512);
    }

    function describe(kind) {
      return {
        e: kind,
        u: pagePath(),
        q: contextQuery(),
        d: cut(document.title, 256),
        x: ownContext,
        xs: readSignal?.(),
        f: +document.hasFocus(),
        z: timeZone,
      };
    }

    /** Where the visitor came from. A page counted again later says nothing new about that. */
    function describeLanding() {
      const campaign = (name) => cut(landing.get('utm_' + name), 100);
      return {
        r: cut(document.referrer.split(/[?#]/)[0], 1024),
        c: campaign('source'),
        m: campaign('medium'),
        g: campaign('campaign'),
        j: cut([...landing.keys()].find((name) => CLICK_ID.test(name)), 32),
      };
    }

    // The way to the collector

    function add(fields, at) {
      at ||= now();
      queue.push({ visit, at, fields: { ...fields, n: ++number, a: Math.round((at - activeAt) / 1000) } });
      later(send);
    }

    /** Send the oldest events, one beacon at a time; when the page leaves, all of them at once. */
    function send(isLeaving) {
      if (!isRunning || read('vm-off') || (!isLeaving && (sending || now() < retryAt))) return;
      let rest = queue;
      while (rest.length) {
        const batch = rest.filter((event) => event.visit === rest[0].visit).slice(0, EVENTS_A_BEACON);
        let body;
        while (new Blob([(body = envelope(batch))]).size > BYTES_A_BEACON) batch.pop();
        post(batch, body);
        rest = isLeaving ? without(batch, rest) : [];
      }
    }

    function envelope(batch) {
      const head = { v: 1, k: options.site, s: batch[0].visit.id, t: tab, w: visitor };
      const events = batch.map(({ at, fields }) =>
        JSON.stringify({ ...fields, o: Math.round((now() - at) / 1000) }),
      );
      // Joined by hand: old shop libraries give arrays a toJSON of their own.
      return JSON.stringify(head).slice(0, -1) + ',"b":[' + events + ']}';
    }

    async function post(batch, body) {
      const sent = batch[0].visit;
      let isDone, wait;
      sending++;
      try {
        const answer = await fetch(base + '/v1/beacon', {
          method: 'POST',
          body,
          keepalive: true,
          credentials: 'omit',
          signal: AbortSignal.timeout?.(ANSWER_WITHIN),
        });
        const { status, headers } = answer;
        wait = Math.min(headers.get('Retry-After'), LONGEST_RETRY_AFTER_SECONDS) * 1000;
        if (status === 200) accept(await answer.json(), sent);
        if (status === 204) reopen(headers.get('X-Drop-Reason'), sent);
        if (status === 403) {
          isRefused = true;
          isRunning = isShown = false;
        }
        isDone = [200, 204, 400, 403, 413].includes(status);
      } catch {
        // Not reached, too slow, or not an answer of the collector: all are tried again.
      }
      sending--;
      if (isDone) {
        failures = retryAt = 0;
        queue = without(batch, queue);
        safe(send)();
      } else {
        wait ||= Math.min(2 ** failures++, LONGEST_PAUSE_SECONDS) * (500 + 1000 * Math.random());
        retryAt = now() + wait;
        clearTimeout(retryTimer);
        retryTimer = later(retryNow, wait);
      }
    }

    function retryNow() {
      retryAt = 0;
      send();
    }

    function accept(answer, sent) {
      if (!isRunning) return;
      if (!isPrivate && answer.s && answer.s !== sent.id) {
        sent.id = answer.s;
        if (isStoring && sent === visit) keepVisit();
      }
      presenceSeconds = answer.i || presenceSeconds;
      // Asking for the zone costs some 30 ms of the main thread: only on request, and at leisure.
      if (answer.z && !timeZone) {
        later(() => (timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone), AT_LEISURE);
      }
      if (answer.c) listeners.invite?.(answer.c);
    }

    /** The collector knows no such visit, or it is over there: the next interaction opens one. */
    function reopen(reason, sent) {
      if (sent !== viewedVisit || !/^(visit_over|no_visit)$/.test(reason)) return;
      viewedVisit = null;
      landing = reason === 'no_visit' && query();
    }

    /**
     * Time since the page began, by whichever clock counted more: one stands still while the
     * computer sleeps, the other may be set back.
     */
    function now() {
      return Math.max(performance.now(), Date.now() - clockStart);
    }
  }

  function safe(work) {
    return (...values) => {
      try {
        return work(...values);
      } catch {
        // The page goes on as if the script were not there.
      }
    };
  }

  /** Seen from the window, in the capture phase: before the page can stop an event. */
  function listen(name, work, target = window) {
    target.addEventListener(name, safe(work), { capture: true, passive: true });
  }

  function later(work, wait) {
    return setTimeout(safe(work), wait);
  }

  /** Reading and writing both throw where the browser blocks storage. */
  function read(key) {
    return safe(() => localStorage.getItem(key))();
  }

  function write(key, value) {
    return safe(() => {
      value ? localStorage.setItem(key, value) : localStorage.removeItem(key);
      return true;
    })();
  }

  function query() {
    return new URLSearchParams(location.search);
  }

  function cleanAttributes(pairs) {
    const clean = {};
    for (const name of Object.keys(pairs).slice(0, 10)) clean[cut(name, 32)] = cut(pairs[name], 200);
    return clean;
  }

  /** The text's first characters, without half of a pair: a lone surrogate is no valid JSON text. */
  function cut(text, limit) {
    return String(text ?? '').slice(0, limit).replace(/\p{Cs}/gu, '') || undefined;
  }

  /** Sixteen of a-z0-9; crypto.randomUUID is missing on plain http. */
  function randomId() {
    let id = '';
    for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += (byte % 36).toString(36);
    return id;
  }

  function without(batch, events) {
    return events.filter((event) => !batch.includes(event));
  }
})();
