// What the dashboard's own addresses below agent/ answer: see pages/server/agent_routes.py.

export const addressOf = (path) => new URL(`agent/${path}`, location.href).href

export class AgentApi {
  constructor(store) {
    this.store = store
  }

  // The answer; {} when there is no news, {unknown: true} when there is no such conversation,
  // undefined when the server cannot be reached.
  async get(path) {
    try {
      const answer = await fetch(addressOf(path), { cache: "no-store" })
      if (answer.status === 204) return {}
      if (answer.status === 404) return { unknown: true }
      return answer.ok ? await answer.json() : undefined
    } catch {
      return undefined
    }
  }

  // {isDone, error}: `error` is for the agent to read; without one a later try may succeed. What has
  // changed goes to the store.
  async post(action, body) {
    try {
      const answer = await fetch(addressOf(action), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      })
      const news = await answer.json()
      if (answer.ok) this.store.take(news)
      return { isDone: answer.ok, error: answer.ok || answer.status >= 500 ? "" : news.error }
    } catch {
      return { isDone: false, error: "" }
    }
  }
}
