// @ts-check
/*
 * Visitor Monitor, HubSpot: reports its chats.
 *
 * Global: HubSpotConversations
 *
 * The widget takes any number of listeners (developers.hubspot.com, "Conversations SDK", chat
 * events). It has no event for messages, except for the visitor's quick replies and for answers
 * that wait to be read; there is an answer only where the visitor has begun. A conversation that is
 * continued from an earlier page is selected, and then the visitor uses the widget; each comes alone too.
 * `conversationClosed` fires when an agent closes it in the inbox.
 */
const { HubSpotConversations, visitorMonitor } = window;
let isBegun = false;
let isSelected = false;
let isUsed = false;
let unread = 0;

/** @type {Record<string, (payload: any) => void>} */
const events = {
  conversationStarted: begin,
  quickReplyButtonClick: () => (isBegun ? visitorMonitor('chat', 'message') : begin()),
  unreadConversationCountChanged(payload) {
    const before = unread;
    unread = payload?.unreadCount;
    if (unread > before) visitorMonitor('chat', 'message');
  },
  userSelectedThread(payload) {
    isSelected = !!payload?.conversation?.conversationId;
    goOn();
  },
  userInteractedWithWidget() {
    isUsed = true;
    goOn();
  },
  conversationClosed() {
    isBegun = false;
    visitorMonitor('chat', 'end');
  },
};
for (const name in events) HubSpotConversations.on(name, events[name]);

function goOn() {
  if (isSelected && isUsed && !isBegun) begin();
}

function begin() {
  isBegun = true;
  visitorMonitor('chat', 'start');
}
