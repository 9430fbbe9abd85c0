// @ts-check
/*
 * Visitor Monitor, Chatwoot: reports its chats.
 *
 * Global: $chatwoot
 *
 * The widget fires events of the window (github.com/chatwoot/chatwoot, app/javascript/widget:
 * constants/sdkEvents.js, helpers/actionCable.js). `on-start-conversation` fires when the visitor
 * starts one, not when one is continued; `on-message` for messages of both sides, of bots, and for the
 * conversation's own notes. A person's message is a chat also where the visitor has written nothing on
 * this page. A campaign's comes once the visitor has opened it. There is no event for the end.
 */
const INCOMING = 0; // the message_type of what the visitor wrote
const OUTGOING = 1;
const PERSON = 'User'; // the sender_type of agents; bots have others
const { visitorMonitor } = window;
let isBegun = false;

addEventListener('chatwoot:on-start-conversation', begin);
addEventListener('chatwoot:on-message', (event) => {
  const message = /** @type {CustomEvent} */ (event).detail;
  const type = message?.message_type;
  if (type === INCOMING && !isBegun) begin();
  else if (type === INCOMING || (type === OUTGOING && (isBegun || message.sender_type === PERSON))) visitorMonitor('chat', 'message');
});

function begin() {
  isBegun = true;
  visitorMonitor('chat', 'start');
}
