// What the browser keeps: for all tabs, or for this one until it is closed.

export function keptLocally(name) {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

export function keepLocally(name, value) {
  try {
    localStorage.setItem(name, value)
  } catch {
    // It is kept for nobody else.
  }
}

export function readStored(name, fallback) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? fallback
  } catch {
    return fallback
  }
}

export function keepStored(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value))
  } catch {
    // Full or forbidden: what is written lives as long as the page.
  }
}
