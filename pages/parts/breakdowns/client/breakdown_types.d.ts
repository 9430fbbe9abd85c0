// What pages/parts/breakdowns/breakdown_cards.py sends to its script.

export interface ShareJson {
  /** What the filter takes for this row. */
  value: string
  label: string
  flag: string
  percent: number
  visits: number
  /** What stands between the share and the number, such as a length of time; "" for nothing. */
  note: string
  /** Shown only when the card is opened. */
  folded: boolean
  /** Other: it stands for the folded ones, of which the most are named. */
  is_rest: boolean
  /** It is a sum of several values, and cannot be pressed. */
  is_sum: boolean
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
  /** What is counted: visitor, or visit. */
  noun: string
}
