/*
 * What Python knows and the browser needs too: limits, lengths of time in milliseconds, states.
 * There is no core.js: embed/build.py puts the values in place of the names (HANDED_OVER).
 */

/** core/chat/limits.py: characters of a message. */
export const LONGEST_MESSAGE: number;
/** core/chat/limits.py: how often typing is reported. */
export const TYPING_EVERY: number;
/** core/chat/words.py: what the dialog says in English, by the names of the texts. */
export const ENGLISH: Record<string, string>;
/** core/chat/words.py: the codes of the languages that there are. */
export const LANGUAGES: RegExp;
/** core/subscribers.py: without a sign for so long, a stream or a poll is dead. */
export const SILENT_FOR: number;
/** core/chat/states.py: the states of an invitation that waits for its answer. */
export const INVITED: RegExp;
/** core/chat/states.py: the states of a conversation that is over. */
export const OVER: RegExp;

/** core/visits/presence.py: a visit without activity is over after this. */
export const VISIT_ENDS_AFTER: number;
/** core/visits/presence.py: for this long after an activity the dashboard says "Active". */
export const ACTIVE_FOR: number;
/** core/visits/presence.py: between two presence beacons. */
export const LONGEST_PRESENCE: number;
/** core/enrich/page_url.py: the query keys that are sent with their values. */
export const VALUE_KEYS: RegExp;
/** core/enrich/page_url.py: the query keys that are sent without their values. */
export const BARE_KEYS: RegExp;
/** core/enrich/data/sources.csv: the query keys whose names tell where the visitor came from. */
export const CLICK_IDS: RegExp;

/** collector/beacon/wire.py: events of a beacon. */
export const MAX_EVENTS: number;
/** collector/http/body.py: characters of a beacon, of up to 3 bytes each, and room for ages that grow. */
export const LONGEST_BEACON: number;
/** collector/http/responses.py: the statuses after which a script sends nothing more from its page. */
export const REFUSED_FOR_GOOD: RegExp;
/** core/enrich/text.py: characters of a path whose letters are escaped; all that follow count them too. */
export const LONGEST_PATH_SENT: number;
/** core/own_visits.py: the query key and the word of the link after which a browser's visits are not recorded. */
export const OWN_LINK_KEY: string;
export const OWN_LINK_WORD: string;
