// Rows as plain objects from an Arrow table; whole numbers may arrive as BigInt.
export function readRows(arrow) {
  const names = arrow.schema.fields.map((field) => field.name)
  const vectors = names.map((name) => arrow.getChild(name))
  return Array.from({ length: arrow.numRows }, (_, position) => {
    const row = {}
    names.forEach((name, index) => {
      const value = vectors[index].get(position)
      row[name] = typeof value === "bigint" ? Number(value) : value
    })
    return row
  })
}
