// @ts-check
/*
 * Visitor Monitor, routes without the Navigation API: a module that the embed script loads in browsers
 * that lack it. It hears of the calls by which an application changes the address.
 */
let isWrapped = false;

/** @param {(how: string) => void} addressChanged called after a call, with its name */
export default (addressChanged) => {
  addressChanged(''); // since the script has begun
  if (isWrapped) return;
  isWrapped = true;
  /** @type {any} */
  const { history } = window;
  for (const name of ['pushState', 'replaceState']) {
    const original = history[name];
    // Nothing is changed where a page has frozen its history: the script looks at the address now and then.
    Reflect.set(history, name, (/** @type {any[]} */ ...values) => {
      original.apply(history, values);
      addressChanged(name);
    });
  }
};
