// @ts-check
/*
 * Visitor Monitor, an addition to the embed script: hears of an invitation at once. It is loaded when a beacon's
 * answer says that the page may, and keeps one call open for the browser, in the tab that is looked at, until that
 * is left. Should the call break, a later answer asks for it again, and brings the invitation itself.
 */
/** @import {Host, Offer, TakeOffer} from './types.js' */

const AGAIN_AFTER = 5_000; // at most, so that calls which ended together begin apart

/**
 * @param {Host} host
 * @param {TakeOffer} take
 * @returns {any} once it has ended
 */
export default (host, take) => {
  const { fetch } = host;
  const { locks } = navigator;
  return locks ? locks.request('vm-' + host.site, { ifAvailable: true }, lead) : lead();

  /**
   * Listen, unless another tab does. It ends when it is stopped, whatever becomes of its call: browsers may abandon
   * one, so that neither an answer nor an abort settles it.
   *
   * @param {Lock | null} [lock] undefined on plain http, where there are none
   */
  function lead(lock) {
    return (
      lock === null ||
      host.stop ||
      host.ask('hidden') ||
      new Promise((end) => {
        const call = new AbortController();
        const stop = () => {
          host.stop = undefined;
          end(call.abort());
        };
        host.stop = stop;
        const isOpen = () => host.stop === stop;
        listen(call.signal, isOpen).catch(() => {}).then(() => isOpen() && stop());
      })
    );
  }

  /**
   * @param {AbortSignal} signal
   * @param {() => boolean} isOpen
   */
  async function listen(signal, isOpen) {
    while (isOpen() && host.isRunning() && !host.read('vm-chat')) {
      const answer = await fetch(host.base + '/v1/conversation/listen', {
        method: 'POST',
        body: host.json({ v: 1, k: host.site, s: host.visit(), t: host.tab }),
        credentials: 'omit',
        signal,
      });
      /** @type {Offer} */
      const offer = await answer.json();
      if (offer.t && isOpen()) take(offer);
      if (offer.t || !answer.ok) return;
      await new Promise((done) => setTimeout(done, AGAIN_AFTER * Math.random()));
    }
  }
};
