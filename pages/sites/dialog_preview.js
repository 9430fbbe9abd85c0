// @ts-check
/* Shows the visitor's dialog in a page of its own, with sample lines. It is the dialog itself; what it sends comes to nobody. */

/** @import { ChatNews, Host, Look } from "../../embed/types.js" */

/**
 * @param {(host: Host) => Promise<(offer: ChatNews) => void>} begin the default export of the chat's script
 * @param {{ look: Look, scheme: string, from: string, texts: string[] }} preview
 */
export async function showDialog(begin, { look, scheme, from, texts }) {
  const messages = texts.map((x, index) => ({ n: index + 1, a: 1 - (index % 2), x, i: `sample${index}`, f: from }))
  const update = { id: 1, state: "open", from, read: texts.length, seen: texts.length, m: messages }
  let number = texts.length

  /** @param {any} body */
  const answer = (body) => new Response(JSON.stringify(body))

  /** A stream that brings the conversation and stays open. */
  const openStream = () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(update)}\n`)),
      }),
    )

  /** @param {any} address */
  const fetch = async (address) => {
    const [action] = address.split("/").slice(-1)
    if (action.startsWith("chat-")) return answer(look)
    if (action === "stream") return openStream()
    if (action === "send") return answer({ id: 2, number: ++number })
    return answer({ id: 2, state: action === "end" ? "ended" : "open" })
  }

  const take = await begin({
    base: "",
    site: "",
    tab: "",
    listeners: {},
    fetch,
    ask: (name) => Reflect.get(document, name),
    json: JSON.stringify,
    read: () => null,
    write: () => true,
    visit: () => "",
    isStoring: () => false,
    isRunning: () => true,
  })
  take({ k: "preview", from, text: texts[0] })
  const box = document.querySelector("visitor-monitor-chat")?.shadowRoot?.firstElementChild
  if (box instanceof HTMLElement) box.style.colorScheme = scheme
}
