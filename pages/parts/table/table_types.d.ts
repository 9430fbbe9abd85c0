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
  | "choice"
  | "share"
  | "action"

export interface ColumnJson {
  name: string
  label: string
  kind: CellKind
  help: string
  tooltip: string
  colours: Record<string, ColourJson>
  actions: Record<string, RowActionJson>
  pulse: string
  ticks: string
  sorts: boolean
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
}

export interface TableData {
  rows: ArrowRows
  table: { name: string; layout: string; href: string; empty: string; columns: ColumnJson[] }
  view: ViewJson
  selected: string
  toolbar: ToolbarJson | null
  clock: ClockJson
}

/** The part that is used of the Arrow table that Streamlit makes of a frame. */
export interface ArrowRows {
  numRows: number
  schema: { fields: { name: string }[] }
  getChild(name: string): { get(index: number): unknown }
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
