// @ts-check
/*
 * Visitor Monitor, the browser's time zone: a module that the embed script loads when the collector asks
 * for the zone, because it cannot tell the country otherwise.
 *
 * The first use of Intl takes 12 to 19 ms of the main thread, 100 ms on a slow phone: it waits until the
 * page has started and has nothing to do.
 */
const AFTER_START = 1_000; // milliseconds

/** @returns {Promise<string>} such as Europe/Berlin */
export default async () => {
  await new Promise((done) => setTimeout(() => (window.requestIdleCallback || setTimeout)(done), AFTER_START));
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
};
