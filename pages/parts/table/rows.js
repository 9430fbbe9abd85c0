// @ts-check
// Rows as objects from the columns and values in which they arrive.

/** @import { ReadyRows } from "./table_types.js" */

/**
 * @param {ReadyRows} ready
 * @returns {any[]}
 */
export function readRows({ columns, data }) {
  return data.map((values) => Object.fromEntries(columns.map((name, index) => [name, values[index]])))
}
