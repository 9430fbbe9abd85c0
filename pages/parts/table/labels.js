// @ts-check
// Lengths of time in words.

/** @import { ActivityLimits } from "./table_types.js" */

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0")

/**
 * The same words as core/visits/labels.py: tests/pages/live/test_live_in_browser.py compares them.
 * @param {number} seconds
 */
export function lengthLabel(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const minutes = Math.floor(whole / 60)
  if (minutes === 0) return `${whole}s`
  if (minutes < 60) return `${minutes}m ${two(whole % 60)}s`
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`
}

/**
 * @param {number} seconds
 * @param {ActivityLimits} limits
 */
export function activityLabel(seconds, limits) {
  const minutes = Math.max(0, Math.floor(seconds / 60))
  if (seconds < limits.active) return "Active"
  return seconds < limits.idle ? `${minutes}m ago` : `Idle ${minutes}m`
}
