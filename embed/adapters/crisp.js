// @ts-check
/*
 * Visitor Monitor, Crisp: reports its chats.
 *
 * Global: $crisp
 *
 * Crisp keeps one listener for each event, the last (docs.crisp.chat, "$crisp Methods", and
 * github.com/microsoft/clarity/issues/979). So the page's listeners are chained: those that wait in
 * the queue for Crisp to load, and all that are pushed later. Listeners that Crisp has already taken
 * out of its queue cannot be read and are left alone: then chats are reported only by the listeners
 * that the page pushes from now on. A message that a person has sent (by its `origin`, and not `automated`)
 * is a chat also where the visitor has written nothing on this page. There is no event for the end.
 */
const LOADS_SOON = 30_000; // Crisp's own loader checks for as long, and as often, whether it has loaded
const CHECK_AGAIN = 100;
const CHECK_LATER = 2_000; // it may wait for consent or a click
const { visitorMonitor } = window;
let isBegun = false;
/** Our own push. @type {unknown} */
let hooked;

/** Commands of the queue: what to do, an event, its listener. @typedef {any[]} CrispCommand */

/** @type {Record<string, (message: any) => void>} */
const reports = {
  'message:sent'() {
    visitorMonitor('chat', isBegun ? 'message' : 'start');
    isBegun = true;
  },
  'message:received'(message) {
    if (isBegun || (message?.origin === 'chat' && !message.automated)) visitorMonitor('chat', 'message');
  },
};

hookQueue();

/** Hook the queue, and what Crisp puts in its place when it has loaded. */
function hookQueue(waited = 0) {
  try {
    const { $crisp } = window;
    if ($crisp.push !== hooked) hook($crisp);
    if ($crisp.is) return;
    setTimeout(hookQueue, waited < LOADS_SOON ? CHECK_AGAIN : CHECK_LATER, waited + CHECK_AGAIN);
  } catch {
    // The page goes on as without this script.
  }
}

/** @param {any} $crisp */
function hook($crisp) {
  const { push } = $crisp;
  if (!$crisp.is) {
    for (const index in $crisp) $crisp[index] = chained($crisp[index]);
    for (const event in reports) $crisp.unshift(chained(['off', event]));
  }
  $crisp.push = hooked = (/** @type {CrispCommand[]} */ ...commands) => push.apply($crisp, commands.map(chained));
}

/**
 * The page's command with our report added to its listener, or in its place when it removes one.
 *
 * @param {CrispCommand} command
 */
function chained(command) {
  const report = reports[command?.[1]];
  if (!report || !/^o(n|ff)$/.test(command[0])) return command;
  const [, event, listener] = command;
  return ['on', event, (/** @type {any[]} */ ...values) => {
    report(values[0]);
    return listener?.(...values);
  }];
}
