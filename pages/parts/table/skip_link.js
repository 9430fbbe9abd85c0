// @ts-check
// The page's first tab stop: over the sidebar and everything above the table.

import { make, setText } from "./elements.js"

export class SkipLink {
  /**
   * @param {string} text
   * @param {() => void} skip
   */
  constructor(text, skip) {
    this.link = make("a", "skip-link")
    this.link.href = "#stMain"
    setText(this.link, text)
    this.link.addEventListener("click", (event) => {
      event.preventDefault()
      skip()
    })
    document.body.prepend(this.link)
  }

  stop() {
    this.link.remove()
  }
}
