// What crosses files and wires in the pulse. The names with "Json" and "Data" are what Python writes:
// pages/parts/pulse/pulse.py. Moments are milliseconds since 1970.

/** The newest revisions, by the site's key; "": of any site. */
export type SiteRevisions = Record<string, number>

export type SiteMessage =
  | { kind: "ask" }
  /** isWhole: these are all, and what was known before does not count any more. */
  | { kind: "sites"; sites: SiteRevisions; isWhole: boolean; isUp: boolean; lostAt: number }

export interface PulseData {
  /** The site's key; "": any site. */
  site: string
  /** Up to which the page shows every change. */
  revision: number
  /** Whether what has changed is drawn at once. */
  is_pushed: boolean
  /** Milliseconds without a sign after which a connection is dead. */
  silent_for: number
  line: LineJson | null
}

/** The line that says how old the page is. */
export interface LineJson {
  /** The moment that the page shows: "14:03:05 (Europe/Berlin)". */
  moment: string
  time_zone: string
  /** Seconds between two refreshes; 0: paused. */
  every: number
  /** Since when and why nothing new can be shown, in words; "" while all is well. */
  interruption: string
}
