// @ts-check
// The line that says whether the page is live, or since when not, and which moment it shows.

import { make, setText } from "../../table/elements.js"

/** @import { LineJson } from "./pulse_types.js" */
/** @import { SiteStream } from "./site_stream.js" */

export class MomentView {
  /** @param {ParentNode} parent */
  constructor(parent) {
    this.root = make("p", "moment-line", parent)
    this.dot = make("span", "dot", this.root)
    // Only what is said here is read aloud by itself: the moment changes with every refresh.
    this.status = make("span", "status", this.root)
    this.status.setAttribute("role", "status")
    this.moment = make("span", "moment", this.root)
  }

  /**
   * @param {LineJson} line
   * @param {boolean} isPushed
   * @param {SiteStream} stream
   */
  show(line, isPushed, stream) {
    if (!isPushed) this.showState(line.every ? "" : "Paused")
    else if (line.interruption) this.showState(line.interruption)
    else if (stream.state === "up") this.showState("Live")
    else if (stream.state === "down") this.showState(downText(line, stream))
    setText(this.moment, `Updated ${line.moment}${isPushed || !line.every ? "" : `, every ${line.every} s`}`)
  }

  /** @param {string} text */
  showState(text) {
    setText(this.status, text)
    this.root.classList.toggle("live", text === "Live")
  }

  remove() {
    this.root.remove()
  }
}

/**
 * @param {LineJson} line
 * @param {SiteStream} stream
 */
const downText = ({ time_zone, every }, { lostAt }) =>
  `Not live since ${timeOf(lostAt, time_zone)}: the stream is interrupted; refreshed every ${every} s.`

/**
 * @param {number} at
 * @param {string} timeZone
 */
const timeOf = (at, timeZone) =>
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone }).format(at)
