// What pages/parts/table/component.py sends to the table, and what its files share.

export interface ColourJson {
  back: string
  text: string
}

export interface RowActionJson {
  label: string
  /** {path} stands for the row's path; the same holds for each column. */
  name: string
  note: string
  is_quiet: boolean
}

export type CellKind =
  | "text"
  | "number"
  | "status"
  | "link"
  | "page"
  | "badge"
  | "country"
  | "length"
  | "activity"
  | "action"

export interface ColumnJson {
  name: string
  label: string
  kind: CellKind
  help: string
  /** Names of columns with spaces between, each a line. */
  tooltip: string
  /** The column that is shown small behind the value. */
  note: string
  colours: Record<string, ColourJson>
  actions: Record<string, RowActionJson>
  pulse: string
  ticks: string
  sorts: boolean
  /** rem; 0: what is left. */
  width: number
  is_optional: boolean
  can_hide: boolean
}

/** A row of the frame: its columns by their names. */
export type RowJson = { id: string } & Record<string, any>

export interface ViewJson {
  search: string
  sort: string
  descending: boolean
  /** From 0. */
  page: number
  /** The filters by their names. */
  [filter: string]: string | boolean | number
}

export interface ClockJson {
  /** Seconds. */
  age: number
  ticking: boolean
  active: number
  idle: number
}

export interface ChipJson {
  name: string
  label: string
}

export interface FilterJson {
  name: string
  label: string
  options: [value: string, label: string][]
}

export interface ToolbarJson {
  search: string
  filters: FilterJson[]
  chips: ChipJson[]
  count: string
  page: number
  pages: number
  /** The name under which the browser keeps which columns are hidden; "": none can be. */
  columns_stored_as: string
  /** Whether single-letter keys act on the table. */
  keys: boolean
}

export interface TableData {
  rows: ReadyRows
  table: { name: string; layout: string; href: string; empty: string; columns: ColumnJson[] }
  view: ViewJson
  /** The query of the page's address before and after the search, where that stands in it. */
  around_search: [before: string, after: string] | null
  selected: string
  toolbar: ToolbarJson | null
  clock: ClockJson
}

/** The rows of a frame, as `ready_rows` writes them. */
export interface ReadyRows {
  columns: string[]
  data: unknown[][]
}

/** Seconds without activity from which a visitor counts as no longer active, and as idle. */
export type ActivityLimits = Pick<ClockJson, "active" | "idle">

/** What a cell needs in addition to its row. */
export interface CellContext {
  /** The beginning of a link's address; the row's id follows. */
  href: string
  limits: ActivityLimits
  /** Seconds since the rows were read. */
  passed(): number
}

export type ShowCell = (
  cell: HTMLElement,
  row: RowJson,
  column: ColumnJson,
  context: CellContext,
) => void

/** How the cells of one kind are drawn. */
export interface CellDrawing {
  /** Called once, for a new row. */
  make?(cell: HTMLElement): void
  /** Called at every refresh. */
  show: ShowCell
  /** Called every second. */
  tick?: ShowCell
}
