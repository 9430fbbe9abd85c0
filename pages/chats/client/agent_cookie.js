// The cookie that holds the agent's key.

export const NAME = "visitor-monitor-agent"

export function keepKey(key) {
  if (keyInCookie() === key) return
  const secure = location.protocol === "https:" ? "; Secure" : ""
  document.cookie = `${NAME}=${key}; Path=/; SameSite=Strict; Max-Age=${400 * 86400}${secure}`
}

export function keyInCookie() {
  return document.cookie.match(new RegExp(`(?:^|; )${NAME}=([^;]*)`))?.[1] ?? ""
}
