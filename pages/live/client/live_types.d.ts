// What pages/live/cards.py and pages/live/breakdowns.py send to their scripts.

export interface NumberJson {
  label: string
  value: string
  note: string
  rule: string
}

export interface NumbersData {
  numbers: NumberJson[]
}

export interface ShareJson {
  /** What the filter takes for this row. */
  value: string
  label: string
  flag: string
  percent: number
  visits: number
  /** Shown only when the card is opened. */
  folded: boolean
  /** Other: it stands for the folded ones, of which the most are named. */
  is_rest: boolean
}

export interface BreakdownJson {
  column: string
  label: string
  /** The rows: their columns, which ShareJson has, and of each row the values. */
  shares: { columns: string[]; data: unknown[][] }
}

export interface BreakdownsData {
  breakdowns: BreakdownJson[]
  /** The value that is chosen in each column, where one is. */
  chosen: Record<string, string>
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
