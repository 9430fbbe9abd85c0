// What the browser keeps: for all tabs, or for this one until it is closed.

function keptLocally(name) {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function keepLocally(name, value) {
  try {
    localStorage.setItem(name, value)
  } catch {
    // It is kept for nobody else.
  }
}

function readStored(name, fallback) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? fallback
  } catch {
    return fallback
  }
}

function keepStored(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value))
  } catch {
    // Full or forbidden: what is written lives as long as the page.
  }
}
