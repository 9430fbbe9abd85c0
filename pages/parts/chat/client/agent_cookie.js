// @ts-check
// The cookie that holds the agent's key; its name comes from Python, "" for an account, which needs none.

const KEPT_FOR = 400 * 86_400

export class AgentCookie {
  /** @param {string} name */
  constructor(name) {
    this.name = name
  }

  /** "" while this browser has no agent. */
  get key() {
    if (!this.name) return ""
    return document.cookie.match(new RegExp(`(?:^|; )${this.name}=([^;]*)`))?.[1] ?? ""
  }

  set key(key) {
    if (!this.name || this.key === key) return
    const secure = location.protocol === "https:" ? "; Secure" : ""
    document.cookie = `${this.name}=${key}; Path=/; SameSite=Strict; Max-Age=${KEPT_FOR}${secure}`
  }
}
