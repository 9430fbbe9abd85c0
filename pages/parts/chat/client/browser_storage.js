// @ts-check
// What the browser stores: for all tabs, or for this one until it is closed.

/** @param {string} name */
export function keptLocally(name) {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function keepLocally(name, value) {
  try {
    localStorage.setItem(name, value)
  } catch {
    // Storage is blocked: other tabs and the next page do not get the value.
  }
}

/**
 * @template Value
 * @param {string} name
 * @param {Value} fallback
 * @returns {Value}
 */
export function readStored(name, fallback) {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "null") ?? fallback
  } catch {
    return fallback
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
export function keepStored(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value))
  } catch {
    // Storage is full or blocked: the value lives only in this page.
  }
}
