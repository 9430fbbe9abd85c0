// @ts-check
// Ids that this browser makes: 20 of a-z 0-9.

export function newId() {
  const numbers = crypto.getRandomValues(new Uint8Array(20))
  return Array.from(numbers, (number) => (number % 36).toString(36)).join("")
}
