// What crosses files and wires in the agents' client. The names with "Json" and "Data" are what Python
// writes: pages/server/payloads.py and pages/parts/chat/component.py. Moments are milliseconds since 1970.

import type { AgentApi } from "./agent_api.js"
import type { AgentCookie } from "./agent_cookie.js"
import type { ChatStore } from "./chat_store.js"
import type { NoticeTeller } from "./notice_teller.js"
import type { Outbox } from "./outbox.js"
import type { Sound } from "./sound.js"
import type { StreamClient } from "./stream_client.js"

// ---- what the server sends

export interface ConversationJson {
  /** The site's key. */
  site: string
  site_name: string
  id: string
  visit: string
  /** The visitor's name, or the text shown in its place. */
  visitor: string
  path: string
  state: string
  phase: "invited" | "open" | "left" | "over"
  state_text: string
  /** How it ended; "" before that. */
  end_text: string
  steps: [text: string, at: number][]
  /** The agent who has it; 0: nobody. */
  agent: number
  agent_name: string
  /** The agents who may answer; null: every one. */
  answerers: number[] | null
  unread: number
  /** The number of the newest message that the visitor has read. */
  read: number
  waiting_since: number | null
  /** When its agent had gone, and it became anybody's. */
  vacated_at: number | null
  /** When a colleague gave it to its agent, who has not answered yet. */
  given_at: number | null
  /** The last sign of a visitor who has gone. */
  gone_at: number | null
  /** When a left message was ticked off, and by whom. */
  done_at: number | null
  done_by: string
  note_count: number
  /** Where the visitor can be answered, or "". */
  email: string
  /** Whether it can be answered by the site's own mail server. */
  mails: boolean
  /** Opens a mail that answers a left message; "" without an address. */
  mailto: string
  message_at: number | null
  created_at: number
  closed_at: number | null
  /** Until when the visitor counts as typing, by the server's clock. */
  typing_until: number | null
  /** The beginning of the newest message. */
  last: string
  revision: number
}

export interface MessageJson {
  site: string
  /** The conversation's id. */
  id: string
  /** The number in the conversation, from 1. */
  n: number
  author: "agent" | "visitor"
  agent: number
  agent_name: string
  text: string
  at: number
  /** The id that the sender gave it. */
  client: string
  /** How far it has come by mail; null: it went by none. */
  mail: MailJson | null
}

/** An answer by mail, and what went wrong at the last attempt. */
export interface MailJson {
  state: "on_its_way" | "sent" | "not_sent"
  fault: string
}

/** What somebody wants to hear of. */
export interface NoticeJson {
  id: string
  revision: number
  kind: string
  /** Of Checkout and Cart: how long the visitor had been there. */
  minutes: number
  title: string
  text: string
  /** Where it leads to in the dashboard. */
  path: string
  at: number
}

/** What an agent wrote about a conversation, for agents only. */
export interface NoteJson {
  /** The number among the notes, from 1. */
  n: number
  agent: number
  agent_name: string
  text: string
  at: number
}

/** An agent who may be given a conversation. */
export interface ColleagueJson {
  id: number
  name: string
  is_available: boolean
}

export interface NewsJson {
  /** The newest revision in it. */
  id: number
  now: number
  notices?: NoticeJson[]
  conversations: ConversationJson[]
  messages: MessageJson[]
  /** All that is open, instead of what has changed. */
  whole?: boolean
}

/** One conversation with all its messages and notes, or that there is none. */
export interface ConversationAnswer {
  conversation: ConversationJson
  messages: MessageJson[]
  notes: NoteJson[]
  unknown: boolean
}

export interface PostResult {
  isDone: boolean
  /** A text for the agent; "" when a later try may succeed. */
  error: string
}

// ---- what Python sends to the component

export interface AgentJson {
  id: number
  name: string
  key: string
}

export interface ReplyJson {
  id: string
  text: string
}

/** By the site's key. */
export type RepliesJson = Record<string, ReplyJson[]>

export interface LimitsJson {
  longest_message: number
  /** Lengths in milliseconds. */
  typing_every: number
  silent_for: number
  over_for: number
}

interface PartData {
  agent: AgentJson | null
  /** The name of the cookie with the agent's key; "" for an account. */
  cookie: string
  /** The account's id; 0 where nobody has to sign in. */
  account: number
  /** What the account may see and do; "" where nobody has to sign in. */
  rights: string
  limits: LimitsJson
}

/** What the agent hears of; the quiet hours in minutes of the day, the same twice for none. */
export interface WantedNoticesJson {
  kinds: string[]
  minutes: number
  quiet_from: number
  quiet_until: number
  time_zone: string
}

export interface AlertsData extends PartData {
  part: "alerts"
  /** null: not known just now. */
  notices: WantedNoticesJson | null
}

export interface ChatsData extends PartData {
  part: "chats"
  /** "SITE ID" of the conversation in the page's address, or "". */
  chosen: string
  /** Counts the choices that the agent made by hand. */
  turn: number
  replies: RepliesJson
  is_one_site: boolean
}

export interface SingleConversationData extends PartData {
  part: "conversation"
  chosen: string
  replies: RepliesJson
}

export type ChatData = AlertsData | ChatsData | SingleConversationData

// ---- between the files

/** A message on its way. */
export interface UnsentMessage {
  /** "SITE ID" of its conversation. */
  key: string
  site: string
  id: string
  /** Its client's id. */
  n: string
  text: string
  /** The reply that it was made from, or "". */
  template: string
  /** How it goes: in the chat, or by mail. */
  by?: "send" | "mail"
  at: number
  /** Why it was refused, or "". */
  error: string
}

export type ConnectionStatus = "off" | "connecting" | "live" | "late" | "lost"

/** What the store tells its listeners. */
export type StoreEvent =
  | {
      kind: "news"
      /** The conversations whose state has changed. */
      moved: ConversationJson[]
      /** Those that have become anybody's, or were given to this agent by a colleague. */
      offered: ConversationJson[]
      /** The new messages of visitors. */
      spoken: MessageJson[]
      /** From before this page was opened: there is no alert. */
      isOld: boolean
    }
  | { kind: "status" | "agent" | "named" | "whole" | "unsent" }

/** The messages between tabs. All but "ask" and "named" come from the leader tab. */
export type TabMessage =
  | { kind: "ask" }
  | { kind: "named" }
  | { kind: "ring" }
  | { kind: "beat" | "status"; status: ConnectionStatus }
  /** from: the revision that the leader tab had before. */
  | { kind: "news"; from: number; news: NewsJson }
  | { kind: "snapshot"; news: NewsJson; status: ConnectionStatus }

/** What all parts of a page share. */
export interface ChatApp {
  store: ChatStore
  api: AgentApi
  stream: StreamClient
  outbox: Outbox
  sound: Sound
  notices: NoticeTeller
  cookie: AgentCookie
  limits: LimitsJson
}

/** What a part that shows conversations has in addition. */
export interface PanelApp extends ChatApp {
  replies: RepliesJson
}

/** What the part that lists them has in addition. */
export interface ListApp extends PanelApp {
  /** "SITE ID", or "". */
  chosen: string
  choose(key: string): void
}

/** A part of a page. */
export interface ChatPart<Data extends ChatData> {
  root: HTMLElement
  refresh(component: import("../../streamlit.js").ComponentArguments<Data>): void
  receive(event: StoreEvent): void
  /** Called every second. */
  tick(): void
  stop(): void
}
