// @ts-check
/*
 * Visitor Monitor, Crisp: reports its chats.
 *
 * Global: $crisp
 *
 * Crisp keeps one listener an event, the last (docs.crisp.chat, "$crisp Methods", and
 * github.com/microsoft/clarity/issues/979). So the page's are chained: those that wait in the queue
 * for Crisp to load, and all that are pushed later. What Crisp has already taken out of its queue
 * cannot be read, and is left alone: then only what the page pushes from now on tells of chats.
 * None of the events tells of an end.
 */
const LOADS_WITHIN = 30_000; // so long, and so often, Crisp's own loader looks whether it has loaded
const LOOK_AGAIN = 100;
const { visitorMonitor } = window;
let isBegun = false;
/** Our own push. @type {unknown} */
let hooked;

/** Commands of the queue: what to do, an event, its listener. @typedef {any[]} CrispCommand */

/** @type {Record<string, () => void>} */
const tellers = {
  'message:sent'() {
    visitorMonitor('chat', isBegun ? 'message' : 'start');
    isBegun = true;
  },
  'message:received': () => isBegun && visitorMonitor('chat', 'message'),
};

look();

/** Hook the queue, and what Crisp puts in its place when it has loaded. */
function look(waited = 0) {
  try {
    const { $crisp } = window;
    if ($crisp.push !== hooked) hook($crisp);
    if ($crisp.is || waited > LOADS_WITHIN) return;
    setTimeout(look, LOOK_AGAIN, waited + LOOK_AGAIN);
  } catch {
    // The page goes on as if this were not there.
  }
}

/** @param {any} $crisp */
function hook($crisp) {
  const { push } = $crisp;
  if (!$crisp.is) {
    for (const index in $crisp) $crisp[index] = chained($crisp[index]);
    for (const event in tellers) $crisp.unshift(chained(['off', event]));
  }
  $crisp.push = hooked = (/** @type {CrispCommand[]} */ ...commands) => push.apply($crisp, commands.map(chained));
}

/**
 * The page's command with our teller in its listener, or in its place where it takes one away.
 *
 * @param {CrispCommand} command
 */
function chained(command) {
  const tell = tellers[command?.[1]];
  if (!tell || !/^o(n|ff)$/.test(command[0])) return command;
  const [, event, listener] = command;
  return ['on', event, (/** @type {any[]} */ ...values) => {
    tell();
    return listener?.(...values);
  }];
}
