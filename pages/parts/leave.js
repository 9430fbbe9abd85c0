// @ts-check
// Goes to another page of the dashboard as its links do: without loading it anew, and in one step of Back.

/** @import { ComponentArguments } from "./streamlit.js" */

/** @param {ComponentArguments<{ address: string }>} component */
export default function draw({ data }) {
  const { href } = new URL(data.address, location.href)
  if (href === location.href) return
  history.pushState({}, "", href)
  // Streamlit follows it as if it came from Back.
  dispatchEvent(new PopStateEvent("popstate"))
}
