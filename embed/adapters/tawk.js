// @ts-check
/*
 * Visitor Monitor, tawk.to: reports its chats.
 *
 * Global: Tawk_API
 *
 * The widget also fires each of its callbacks as an event of the window, which tawk.to's own packages
 * use (github.com/tawk/tawk-messenger-react, src/index.js). So the page's own callbacks stay as they
 * are. The callbacks are described in developer.tawk.to/jsapi, and isChatOngoing(): it tells a chat that an
 * agent began, or that is continued from an earlier page, from the greeting of a trigger.
 */
const { visitorMonitor } = window;
let isBegun = false;

/** @type {Record<string, () => void>} */
const events = {
  tawkChatStarted: begin,
  tawkChatMessageVisitor: () => (isBegun ? visitorMonitor('chat', 'message') : begin()),
  tawkChatMessageAgent: () => (isBegun || isOngoing()) && visitorMonitor('chat', 'message'),
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

function isOngoing() {
  try {
    return window.Tawk_API.isChatOngoing();
  } catch {
    return false;
  }
}
