// @ts-check
/*
 * Visitor Monitor, the click ids: which query keys advertisements, mailings and partners add to links.
 *
 * A module that the embed script loads where a visit may begin and the address has query keys. The names
 * are those of core/enrich/data/sources.csv, the table by which the collector finds the network.
 */
import { CLICK_IDS } from './core.js';

/** @param {URLSearchParams} query whose keys that are click ids come back, never a value */
export default (query) => [...query.keys()].filter((name) => CLICK_IDS.test(name)).join() || undefined;
