// @ts-check
/*
 * Visitor Monitor, which other chat tools the page has: a module that the embed script loads with the
 * page. It loads the adapter of each tool once the tool's global has come, for some after consent or a
 * click. embed/build.py lists the globals of embed/adapters/.
 */
const LOOK_EVERY = 1_000; // milliseconds

/** @type {string[]} */
const CHATS = [];
let awaited = CHATS;

/**
 * @param {(name: string) => Promise<any>} load an adapter, by the tool's global
 * @param {() => boolean} isRunning whether the visitor is counted
 */
export default (load, isRunning) => {
  const look = () => {
    const found = awaited.filter((name) => isRunning() && /** @type {any} */ (window)[name]);
    awaited = awaited.filter((name) => !found.includes(name));
    for (const name of found) load(name).catch(() => {});
  };
  look();
  setInterval(look, LOOK_EVERY);
};
