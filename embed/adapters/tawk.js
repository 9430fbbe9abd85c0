// @ts-check
/*
 * Visitor Monitor, tawk.to: reports its chats.
 *
 * Global: Tawk_API
 *
 * The widget fires each of its callbacks as an event of the window too, which is how tawk.to's own
 * packages listen (github.com/tawk/tawk-messenger-react, src/index.js): nothing of the page's is
 * touched. The callbacks are described in developer.tawk.to/jsapi.
 */
const { visitorMonitor } = window;
let isBegun = false;

/** @type {Record<string, () => void>} */
const events = {
  tawkChatStarted: begin,
  tawkChatMessageVisitor: () => (isBegun ? visitorMonitor('chat', 'message') : begin()),
  tawkChatMessageAgent: () => isBegun && visitorMonitor('chat', 'message'),
  tawkChatEnded() {
    isBegun = false;
    visitorMonitor('chat', 'end');
  },
};
for (const name in events) addEventListener(name, events[name]);

function begin() {
  isBegun = true;
  visitorMonitor('chat', 'start');
}
