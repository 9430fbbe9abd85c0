// @ts-check
// Rows as objects from the one text in which they arrive.

/** @import { ReadyRows, RowJson } from "./table_types.js" */

/**
 * @param {string} ready
 * @returns {RowJson[]}
 */
export function readRows(ready) {
  /** @type {ReadyRows} */
  const { columns, data } = JSON.parse(ready)
  return data.map(
    (values) => /** @type {RowJson} */ (Object.fromEntries(columns.map((name, index) => [name, values[index]]))),
  )
}
