// The cookie that holds the agent's key.

function keepKey(key) {
  if (keyInCookie() === key) return
  const secure = location.protocol === "https:" ? "; Secure" : ""
  document.cookie = `${NAME}=${key}; Path=/; SameSite=Strict; Max-Age=${400 * 86400}${secure}`
}

function keyInCookie() {
  return document.cookie.match(new RegExp(`(?:^|; )${NAME}=([^;]*)`))?.[1] ?? ""
}
