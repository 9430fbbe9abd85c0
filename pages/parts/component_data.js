// @ts-check
// Stands at the end of each component's script; loader.js calls it.

/**
 * What ready_data.py has written, or data as it is.
 * @param {any} data
 */
export function readData(data) {
  return data instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(data)) : data
}
