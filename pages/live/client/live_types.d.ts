// What pages/live/cards.py sends to its script.

export interface NumberJson {
  label: string
  value: string
  note: string
  rule: string
}

export interface NumbersData {
  numbers: NumberJson[]
}

/** What pages/live/opened_visitor.py sends to the head of the panel. */
export interface PanelData {
  /** The id of the visitor's row in the table. */
  row: string
  /** The name under which the page's address names the visitor who is open. */
  parameter: string
  /** How often a visitor was opened in this session; 0 where the page was opened with one. */
  times: number
  label: string
  close: string
}

/** What pages/live/timeline.py sends to the controls above the day. */
export interface RewindData {
  title: string
  /** The peak of the day, in words. */
  note: string
  /** What there is to say of the last press. */
  said: string
  is_past: boolean
  /** The moment, or now, in the site's time: "2026-11-29T14:03:05". */
  local: string
  /** From when on, and until when a moment can be chosen. */
  earliest: string
  latest: string
  time_zone: string
  /** How quickly the past can be played, and is; 0: it is not. */
  speeds: number[]
  speed: number
}

/** What pages/live/timeline.py sends to the slider below the day. */
export interface DaySliderData {
  /** When the day begins, in milliseconds since 1970. */
  from_at: number
  /** How long it is, and which one is shown. */
  minutes: number
  minute: number
  time_zone: string
}
