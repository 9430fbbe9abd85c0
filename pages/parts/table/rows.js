// @ts-check
// Rows as plain objects from an Arrow table; whole numbers may arrive as BigInt.

/** @import { ArrowRows, RowJson } from "./table_types.js" */
/**
 * @param {ArrowRows} arrow
 * @returns {RowJson[]}
 */
export function readRows(arrow) {
  const names = arrow.schema.fields.map((field) => field.name)
  const vectors = names.map((name) => arrow.getChild(name))
  return Array.from({ length: arrow.numRows }, (_, position) => {
    /** @type {Record<string, unknown>} */
    const row = {}
    names.forEach((name, index) => {
      const value = vectors[index].get(position)
      row[name] = typeof value === "bigint" ? Number(value) : value
    })
    return /** @type {RowJson} */ (row)
  })
}
