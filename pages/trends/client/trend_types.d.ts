// What pages/trends/chips.py sends to its script.

export interface FilterChipJson {
  /** The filter that a press clears, or all. */
  name: string
  label: string
}

export interface ChipsData {
  chips: FilterChipJson[]
}
