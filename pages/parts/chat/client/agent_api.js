// @ts-check
// The calls of the dashboard's own routes below agent/: see pages/server/agent_routes.py.

import { addressOf } from "../../stream/address.js"

/** @import { ChatStore } from "./chat_store.js" */
/** @import { ColleagueJson, ConversationAnswer, NewsJson, PostResult } from "./chat_types.js" */

/** @param {string} path */
export const agentAddress = (path) => addressOf(`agent/${path}`)

export class AgentApi {
  /** @param {ChatStore} store */
  constructor(store) {
    this.store = store
  }

  /**
   * What is newer than the revision, as soon as there is something; {} when nothing changed for some
   * time, undefined when the server cannot be reached.
   * @param {number} revision
   * @returns {Promise<NewsJson | { conversations?: undefined } | undefined>}
   */
  poll(revision) {
    return this.get(`poll?after=${revision}`)
  }

  /**
   * {unknown: true} when there is no such conversation; undefined when the server cannot be reached.
   * @param {string} site
   * @param {string} id
   * @returns {Promise<Partial<ConversationAnswer> | undefined>}
   */
  conversation(site, id) {
    return this.get(`conversation?${new URLSearchParams({ site, id })}`)
  }

  /**
   * Who may be given a conversation of the site, available ones first; undefined when the server cannot be reached.
   * @param {string} site
   * @returns {Promise<ColleagueJson[] | undefined>}
   */
  colleagues(site) {
    return this.get(`colleagues?${new URLSearchParams({ site })}`)
  }

  /**
   * @param {string} path
   * @returns {Promise<any>}
   */
  async get(path) {
    try {
      const answer = await fetch(agentAddress(path), { cache: "no-store" })
      if (answer.status === 204) return {}
      if (answer.status === 404) return { unknown: true }
      return answer.ok ? await answer.json() : undefined
    } catch {
      return undefined
    }
  }

  /**
   * {isDone, error}: `error` is a text for the agent; without one a later try may succeed. Changes go
   * to the store.
   * @param {string} action
   * @param {object} body
   * @returns {Promise<PostResult>}
   */
  async post(action, body) {
    try {
      const answer = await fetch(agentAddress(action), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      })
      if (answer.status === 204) return { isDone: true, error: "" }
      const news = await answer.json()
      if (answer.ok) this.store.take(news)
      return { isDone: answer.ok, error: answer.ok || answer.status >= 500 ? "" : news.error }
    } catch {
      return { isDone: false, error: "" }
    }
  }
}
