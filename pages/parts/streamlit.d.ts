// What Streamlit calls a component's `draw` with, at first and at each run of the page.

export interface ComponentArguments<Data> {
  parentElement: HTMLElement | ShadowRoot
  data: Data
  /** Keeps a value in the session; the page runs again when it is another one than before. */
  setStateValue(name: string, value: unknown): void
  /** Gives the next run of the page a value, once. */
  setTriggerValue(name: string, value: unknown): void
}
