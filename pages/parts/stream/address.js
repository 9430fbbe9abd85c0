// @ts-check
// The addresses of the dashboard's own routes. Pages are one level deep, below any path that the
// dashboard is served under.

/** @param {string} path */
export const addressOf = (path) => new URL(path, location.href).href
