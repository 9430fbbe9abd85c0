// The arguments of a component's `draw`, which Streamlit calls at first and at each run of the page.

export interface ComponentArguments<Data> {
  parentElement: HTMLElement | ShadowRoot
  data: Data
  /** Keeps a value in the session; the page runs again when the value has changed. */
  setStateValue(name: string, value: unknown): void
  /** Gives the next run of the page a value, once. */
  setTriggerValue(name: string, value: unknown): void
}
