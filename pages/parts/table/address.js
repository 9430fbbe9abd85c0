// @ts-check
// The search in the page's address. Streamlit makes a step of Back of each address that it does not
// find there already, and Back is not to take away one letter after the other.

/**
 * Put the search where Python is about to put it, in place of the address that is there.
 * What was just chosen may be in the address already while the table has not heard of it: it stays.
 * @param {readonly [before: string, after: string]} around the query before and after the search
 * @param {string} search
 */
export function replaceSearch([before, after], search) {
  const [rest, told, shown] = [before, after, location.search.slice(1)].map(pairs)
  const chosen = shown.filter((pair) => !rest.includes(pair))
  const isTold = chosen.length === told.length && told.every((pair) => chosen.includes(pair))
  const all = [...rest, search && `q=${escaped(search)}`, ...(isTold ? told : chosen)]
  const query = all.filter(Boolean).join("&")
  history.replaceState(history.state, "", `${location.pathname}${query && `?${query}`}`)
}

/**
 * The pairs of a query, without what a new search replaces: the search, and the page of the list.
 * @param {string} query
 */
function pairs(query) {
  return query.split("&").filter((pair) => pair && !/^(q|page)=/.test(pair))
}

/**
 * As Python's urlencode writes it.
 * @param {string} text
 */
function escaped(text) {
  const wellFormed = new TextDecoder().decode(new TextEncoder().encode(text))
  return encodeURIComponent(wellFormed)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")
}
