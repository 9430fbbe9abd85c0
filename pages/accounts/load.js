// @ts-check
// Loads an address of the dashboard anew, as soon as it is given one.

/** @import { ComponentArguments } from "../parts/streamlit.js" */

/** @param {ComponentArguments<{ address: string }>} component */
export default function draw({ data }) {
  if (data.address) location.assign(new URL(data.address, location.href))
}
