// @ts-check
// How long to wait before another try.

const WAITS = [1_000, 2_000, 4_000, 8_000, 15_000]

/**
 * Milliseconds; longer with each fault before this one.
 * @param {number} faults
 */
export const retryWait = (faults) => WAITS[Math.min(faults, WAITS.length - 1)]
