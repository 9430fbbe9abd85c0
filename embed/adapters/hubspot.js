// @ts-check
/*
 * Visitor Monitor, HubSpot: reports its chats.
 *
 * Global: HubSpotConversations
 *
 * The widget takes any number of listeners (developers.hubspot.com, "Conversations SDK", chat
 * events). It has no event for messages, except for the visitor's quick replies and for answers
 * that wait to be read. `conversationClosed` fires when an agent closes it in the inbox.
 */
const { HubSpotConversations, visitorMonitor } = window;
let isBegun = false;
let unread = 0;

/** @type {Record<string, (payload: any) => void>} */
const events = {
  conversationStarted: begin,
  quickReplyButtonClick: () => (isBegun ? visitorMonitor('chat', 'message') : begin()),
  unreadConversationCountChanged(payload) {
    const before = unread;
    unread = payload?.unreadCount;
    if (isBegun && unread > before) visitorMonitor('chat', 'message');
  },
  conversationClosed() {
    isBegun = false;
    visitorMonitor('chat', 'end');
  },
};
for (const name in events) HubSpotConversations.on(name, events[name]);

function begin() {
  isBegun = true;
  visitorMonitor('chat', 'start');
}
