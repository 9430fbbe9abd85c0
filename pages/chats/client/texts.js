// How states and moments are called.

export const STATES = {
  queued: "Invitation queued",
  delivered: "Invitation delivered",
  shown: "Invitation shown",
  open: "Chatting",
  left: "Left a message",
  dismissed: "Dismissed",
  expired: "Expired",
  ended: "Ended",
}

export const STATUS = {
  lost: "The connection is lost. Trying again; what you write is sent when it is back.",
  connecting: "Connecting …",
}

export const timeOf = (moment) =>
  new Date(moment).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })

export const dayOf = (moment) =>
  new Date(moment).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" })

function openedBy({ opened_by, agent_name }) {
  if (opened_by === "visitor") return "The visitor opened this chat"
  if (opened_by === "rule") return "A rule invited this visitor"
  return agent_name ? `Invited by ${agent_name}` : "Invited"
}

// The steps of an invitation that have been taken, each with its moment.
export function stepsOf(conversation) {
  if (conversation.opened_by === "visitor") {
    return [[openedBy(conversation), conversation.created_at]]
  }
  const steps = [
    [openedBy(conversation), conversation.created_at],
    ["Delivered", conversation.delivered_at],
    ["Shown", conversation.shown_at],
    ["Accepted", conversation.accepted_at],
  ]
  return steps.filter(([, moment]) => moment)
}

export const LEFT =
  "Left while nobody was available: it cannot be answered here. " +
  "While the visitor is on the site, you can invite them from their page."

export function endOf({ state, closed_by, agent_name }) {
  if (state === "dismissed") return "The visitor dismissed the invitation"
  if (state === "expired" && closed_by === "agent") return "The invitation was withdrawn"
  if (state === "expired") return "The invitation expired without an answer"
  if (state !== "ended") return ""
  if (closed_by === "visitor") return "Ended by the visitor"
  if (closed_by === "agent") return agent_name ? `Ended by ${agent_name}` : "Ended"
  if (closed_by === "silence") return "Ended after 20 minutes without a message"
  return closed_by === "visit" ? "Ended with the visit" : "Ended"
}
