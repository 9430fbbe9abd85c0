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
