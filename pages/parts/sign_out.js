// @ts-check
// Signs this browser out, once it is told to, and goes where the dashboard sends it then.

/** @import { ComponentArguments } from "./streamlit.js" */

const FAILED = "You are still signed in: the dashboard did not answer. Try again in a moment."

/** @param {ComponentArguments<{ address: string }>} component */
export default function draw({ data, parentElement }) {
  if (data.address) signOut(new URL(data.address, location.href), parentElement)
}

/**
 * By fetch, not by a form: without a referrer a browser does not say whose page a form is on.
 * @param {URL} address
 * @param {Element | ShadowRoot} place
 */
async function signOut(address, place) {
  const response = await fetch(address, { method: "POST", body: new URLSearchParams() }).catch(() => null)
  if (response?.ok) {
    location.assign(response.url)
    return
  }
  const alert = document.createElement("p")
  alert.setAttribute("role", "alert")
  alert.textContent = FAILED
  place.replaceChildren(alert)
}
