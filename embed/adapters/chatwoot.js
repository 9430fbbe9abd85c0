// @ts-check
/*
 * Visitor Monitor, Chatwoot: reports its chats.
 *
 * Global: $chatwoot
 *
 * The widget fires events of the window (github.com/chatwoot/chatwoot, app/javascript/widget:
 * constants/sdkEvents.js, helpers/actionCable.js). `on-start-conversation` fires when the visitor
 * starts one, not when one is continued; `on-message` for messages of both sides and for the
 * conversation's own notes. There is no event for the end.
 */
const INCOMING = 0; // the message_type of what the visitor wrote
const OUTGOING = 1;
const { visitorMonitor } = window;
let isBegun = false;

addEventListener('chatwoot:on-start-conversation', begin);
addEventListener('chatwoot:on-message', (event) => {
  const type = /** @type {CustomEvent} */ (event).detail?.message_type;
  if (isBegun && (type === INCOMING || type === OUTGOING)) visitorMonitor('chat', 'message');
  else if (type === INCOMING) begin();
});

function begin() {
  isBegun = true;
  visitorMonitor('chat', 'start');
}
