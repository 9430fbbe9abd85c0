/*
 * What crosses files and wires. docs/beacon.md and docs/chat.md say what each key means; Python has
 * the same shapes in collector/beacon/wire.py and in collector/chat/: offers.py, request.py and
 * streams.py.
 */

// The beacon

export type PageContext =
  | 'checkout' | 'cart' | 'product' | 'collection' | 'search' | 'purchased' | 'none';

/** One event, by the letters of the wire. What is undefined or null is not sent. */
export interface BeaconEvent {
  e: 'v' | 'p' | 'h' | 'c' | 'i';
  n: number;
  o: number;
  a?: number;
  p?: number;
  u?: string;
  q?: string;
  d?: string;
  r?: string;
  c?: string | null;
  m?: string | null;
  g?: string | null;
  j?: string;
  x?: string;
  xs?: PageContext;
  f?: number;
  l?: string;
  z?: string;
  y?: number;
  wd?: number;
  s?: string;
  i?: Attributes;
  cv?: string | number;
  cc?: string;
}

/** An event before it is numbered, and before its age is known. */
export type EventFields = Omit<BeaconEvent, 'n' | 'o' | 'a'>;

/** The envelope without its events. */
export interface BeaconHead {
  v: 1;
  k: string;
  s: string;
  t: string;
  w?: string;
}

/** The body of a 200 to a beacon. */
export interface AcceptedBody {
  s: string;
  i: number;
  z?: 1;
  c?: Offer;
  l?: 1;
}

export type Attributes = Record<string, string | undefined>;

// The chat

/** What a beacon's answer has for the chat: an invitation (`k`), or what the site offers. */
export interface Offer {
  t?: 'invite' | 'site';
  k?: string;
  from?: string;
  text?: string;
  b?: number;
  r?: string;
}

/** What the tag hands to the chat. */
export interface Host {
  base: string;
  site: string;
  tab: string;
  /** The page's own listeners, by the name of their event. */
  listeners: Listeners;
  /** As it was when the tag began. */
  fetch: typeof fetch;
  /** embed/document.js */
  ask(name: string): any;
  /** embed/json.js */
  json(value: any): string;
  read(key: string): string | null | undefined;
  write(key: string, value?: string): true | undefined;
  /** The visit's id, or '' when there is no live one. */
  visit(): string;
  isStoring(): boolean;
  isRunning(): boolean;
  /** Ends the call that waits for an invitation, while one is open. */
  stop?: () => void;
}

export interface Listeners {
  invite?: (invitation: { from?: string; text?: string }) => void;
}

/** Gives the chat's module an offer from a beacon's answer; without one it checks whether it may run. */
export type TakeOffer = (offer?: ChatNews) => void;

export type ChatAction =
  | 'open' | 'shown' | 'accept' | 'dismiss' | 'send' | 'typing' | 'read' | 'end' | 'stream' | 'poll'
  | 'email' | 'rate' | 'listen';

/** Why a conversation ends that the visitor does not end in the dialog. */
export type EndReason = 'consent' | 'opt_out' | 'page';

/** What the tag hands to the chat: an offer; or why it must end, with what the browser had stored of it. */
export interface ChatNews extends Omit<Offer, 'k'> {
  k?: string | null;
  w?: EndReason;
}

/** What a call sends in addition to version, site key and token. */
export interface ChatRequest {
  s?: string;
  t?: string;
  n?: string;
  x?: string;
  r?: string;
  w?: EndReason;
  /** The visitor's e-mail address. */
  e?: string;
  g?: Rating;
  to?: number;
  after?: number;
}

/** The answer to a call that changes something. */
export interface ChatAnswer {
  id: number;
  state?: ConversationState;
  number?: number;
  c?: string;
}

export type ConversationState =
  | 'queued' | 'delivered' | 'shown' | 'open' | 'dismissed' | 'expired' | 'ended' | 'left';

export type Rating = 'good' | 'bad';

/** How a site's dialog looks, as /embed/chat-LANGUAGE.json says; without a key it is as usual. */
export interface Look {
  lang: string;
  dir?: string;
  colour?: string;
  /** The colour of what is written on it. */
  text?: string;
  corner?: string;
  /** Whether an e-mail address is asked for: 'offered', 'required'. */
  email?: string;
  /** Whether a chat is rated after its end. */
  rating?: number;
  words: Record<string, string>;
}

/** A message on the wire: number, 1 of an agent, text, seconds ago, client id, name. */
export interface MessagePayload {
  n: number;
  a: number;
  x: string;
  o?: number;
  i?: string | number;
  f?: string;
}

/** A message that the browser has, with its moment by the browser's clock. */
export interface KnownMessage extends MessagePayload {
  at?: number;
}

/** A conversation on the wire, with the new messages. A missing key has not changed. */
export interface ConversationUpdate {
  id: number;
  state?: ConversationState | '';
  from?: string;
  /** Milliseconds for which the agent still counts as typing. */
  typing?: number;
  read?: number;
  by?: string;
  /** The number up to which an agent has read. */
  seen?: number;
  /** The address at which the visitor wants the answer. */
  e?: string;
  g?: Rating | '';
  /** 1: its agent had to go, and nobody has taken it yet. */
  v?: number;
  /** 1: the visitor is blocked, and begins no other chat. */
  no?: number;
  m: KnownMessage[];
}

/** An action that waits for the collector's answer. */
export interface OutboxItem {
  do: ChatAction;
  /** The client's id of a message. */
  n?: string;
  x?: string;
  to?: number;
  /** The conversation that it belongs to, if that may be over. */
  c?: string;
  e?: string;
  g?: Rating;
  /** Why it was good or bad. */
  why?: string;
  /** When it was written. */
  at?: number;
}

/** What one tab sends to the others: the whole state; the token alone asks them for theirs. */
export interface TabUpdate {
  c: string;
  o?: number;
  u?: ConversationUpdate;
}

/** What the browser stores for the tab's next page: token, outbox, draft, whether it is open. */
export interface Kept {
  c?: string;
  o?: Record<string, OutboxItem>;
  d?: string;
  s?: boolean;
}

// The page

/** The global of the tag, or the page's stub until it has loaded. */
export interface VisitorMonitor {
  (command: string, ...values: any[]): any;
  loaded?: boolean;
  q?: any;
}

declare global {
  interface Window {
    visitorMonitor: VisitorMonitor;
    // Globals of shops and other chats, as far as they are used.
    ShopifyAnalytics?: { meta?: { page?: { pageType?: string } } };
    __st?: { p?: string };
    dataLayer?: any[];
    prestashop?: unknown;
    $crisp: any;
    HubSpotConversations: { on(name: string, listener: (payload: any) => void): void };
    Tawk_API: { isChatOngoing(): boolean };
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }

  // What Shopify gives to a pixel.
  const analytics: { subscribe(name: string, listener: (event: any) => void): void };
  const init: { customerPrivacy?: { analyticsProcessingAllowed?: boolean } };
  const browser: {
    localStorage: {
      getItem(key: string): Promise<string | null>;
      setItem(key: string, value: string): Promise<void>;
    };
  };
}
