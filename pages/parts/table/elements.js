// Making and changing elements. Text from visitors only ever goes into textContent and title.

export function make(tag, className, parent) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (parent) parent.append(node)
  return node
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

export function setAttribute(node, name, value) {
  if (value === null || value === "") node.removeAttribute(name)
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}
