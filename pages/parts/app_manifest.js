// @ts-check
// Names the app's manifest in the head of the page, which is Streamlit's, so that browsers offer to install it.

import { addressOf } from "./stream/address.js"

const THEMES = { light: "#f4f6fa", dark: "#0b0e17" }

export function nameManifest() {
  if (document.head.querySelector('link[rel="manifest"]')) return
  add("link", { rel: "manifest", href: addressOf("app.webmanifest") })
  add("link", { rel: "apple-touch-icon", href: addressOf("app-icon-192.png") })
  for (const [theme, colour] of Object.entries(THEMES)) {
    add("meta", { name: "theme-color", content: colour, media: `(prefers-color-scheme: ${theme})` })
  }
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function add(tag, attributes) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  document.head.append(element)
}
