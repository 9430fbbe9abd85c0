// The shop's behaviour. What it remembers (cart, order, sign-in, chat) stays in this tab's sessionStorage.
window.visitorMonitor = window.visitorMonitor || function () { (visitorMonitor.q = visitorMonitor.q || []).push(arguments); };

(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const price = (cents) => `€${(cents / 100).toFixed(2)}`;

  function read(key, otherwise) {
    try { return JSON.parse(sessionStorage.getItem(`demo-${key}`)) ?? otherwise; } catch { return otherwise; }
  }
  function write(key, value) {
    try { sessionStorage.setItem(`demo-${key}`, JSON.stringify(value)); } catch { /* storage is blocked: nothing is kept */ }
  }

  // Cart: {slug: quantity}. The pages hold a hidden line for each product.
  function change(slug, by) {
    const cart = read("cart", {});
    cart[slug] = Math.max(0, Math.min(99, (cart[slug] || 0) + by));
    write("cart", cart);
    drawCart();
  }
  function drawCart() {
    const quantities = Object.values(read("cart", {}));
    const count = one("[data-cart-count]");
    count.textContent = quantities.reduce((sum, quantity) => sum + quantity, 0);
    count.classList.toggle("some", count.textContent !== "0");
    all("[data-order]").forEach((list) => drawOrder(list, read(list.dataset.order, {})));
    all("[data-added]").forEach((link) => { link.hidden = !read("cart", {})[one("[data-add]").dataset.add]; });
  }
  function drawOrder(list, cart) {
    let total = 0;
    for (const line of all("[data-line]", list)) {
      const quantity = cart[line.dataset.line] || 0;
      line.hidden = !quantity;
      one("[data-quantity]", line).textContent = quantity;
      one("[data-line-price]", line).textContent = price(quantity * line.dataset.cents);
      total += quantity * line.dataset.cents;
    }
    one("[data-total]", list).textContent = price(total);
    all("[data-filled]").forEach((part) => { part.hidden = !total; });
    one("[data-empty]", list).hidden = total > 0;
    if (list.dataset.order === "cart") tell(total);
  }
  // What is in the balance, for the agents: as the visitor sees it here, and again when it changes.
  function tell(cents) {
    visitorMonitor("context", one(".checkout") ? "checkout" : "cart", { value: cents / 100, currency: "EUR" });
  }
  function placeOrder() {
    const cart = read("cart", {});
    if (!Object.values(cart).some(Boolean)) return;
    write("order", cart);
    write("cart", {});
  }

  function search() {
    const wanted = (new URLSearchParams(location.search).get("q") || "").trim();
    if (!wanted) return;
    one("[role=search] input").value = wanted;
    const cards = all("[data-results] [data-product]");
    cards.forEach((card) => { card.hidden = !card.textContent.toLowerCase().includes(wanted.toLowerCase()); });
    const found = cards.filter((card) => !card.hidden).length;
    one("[data-found]").textContent = found ? `${found} for “${wanted}”` : `Nothing for “${wanted}”`;
    one("[data-nothing]").hidden = found > 0;
  }

  // Identify only after the visitor asked for it; then on every page, as a shop with accounts would.
  function signIn() {
    visitorMonitor("identify", { name: "Ann Example", email: "ann@example.com" });
    const button = one("[data-sign-in]");
    button.textContent = "Signed in as Ann";
    button.disabled = true;
  }

  // Guide: chapters change with pushState; without this, or when it fails, the links load the pages themselves.
  let chapter = location.pathname;
  async function showChapter(path, push) {
    chapter = path;
    try {
      const answer = await fetch(path);
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (chapter !== path) return; // a later click was answered first
      if (push) history.pushState(null, "", path);
      document.title = page.title;
      one("[data-guide]").replaceWith(one("[data-guide]", page));
      one("[data-guide] h1").focus();
      if (push) scrollTo(0, 0);
    } catch { location.assign(path); }
  }
  function followChapter(event) {
    const link = event.target.closest("main a[href*='/demo/guide']");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.pathname !== chapter) showChapter(link.pathname, true);
  }

  // The chat stand-in: [{mine, text}]. A real chat tool would make the same three calls.
  function drawChat(chat) {
    const lines = read("chat", []);
    one(".log", chat).replaceChildren(...lines.map(({ mine, text }) => {
      const line = document.createElement("p");
      line.textContent = text;
      line.classList.toggle("mine", mine);
      return line;
    }));
    one(".log", chat).scrollTop = one(".log", chat).scrollHeight;
    one("[data-chat-end]", chat).disabled = !lines.length;
  }
  function say(chat, text, mine) {
    const lines = read("chat", []);
    if (mine && !lines.length) visitorMonitor("chat", "start");
    else visitorMonitor("chat", "message");
    write("chat", [...lines, { mine, text }]);
    drawChat(chat);
  }
  function startChat(chat) {
    chat.hidden = false;
    chat.open = read("chat", []).length > 0;
    drawChat(chat);
    one("form", chat).addEventListener("submit", (event) => {
      event.preventDefault();
      const input = one("input", chat);
      if (!input.value.trim()) return;
      say(chat, input.value.trim(), true);
      input.value = "";
      setTimeout(() => { if (read("chat", []).length) say(chat, "Hello from the stand-in. I always answer this.", false); }, 1200);
    });
    one("[data-chat-end]", chat).addEventListener("click", () => {
      visitorMonitor("chat", "end");
      write("chat", []);
      drawChat(chat);
      chat.open = false;
      one("summary", chat).focus();
    });
    chat.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      chat.open = false;
      one("summary", chat).focus();
    });
  }

  document.addEventListener("click", (event) => {
    const { add, change: by } = event.target.dataset;
    if (add) {
      change(add, 1);
      one("[data-said]").textContent = `Added. ${read("cart", {})[add]} in your cart.`;
    } else if (by) {
      const line = event.target.closest("[data-line]");
      change(line.dataset.line, Number(by));
      if (line.hidden) one("#main").focus();
    } else if ("signIn" in event.target.dataset) {
      write("signed-in", true);
      signIn();
    }
  });
  if (location.pathname.endsWith("/demo/checkout/thank-you")) placeOrder();
  if (one("[data-results]")) search();
  if (one("[data-guide]")) {
    document.addEventListener("click", followChapter);
    addEventListener("popstate", () => { if (location.pathname !== chapter) showChapter(location.pathname, false); });
  }
  if (read("signed-in", false)) signIn();
  startChat(one("[data-chat]"));
  drawCart();
  addEventListener("pageshow", drawCart); // a page that Back restores shows the present cart
})();
