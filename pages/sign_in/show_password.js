// @ts-check
// The button that shows what was typed; without a script there is none.

const password = /** @type {HTMLInputElement | null} */ (document.getElementById("password"))
const show = document.getElementById("show")
if (password && show) {
  show.hidden = false
  show.addEventListener("click", () => {
    const hides = password.type === "text"
    password.type = hides ? "password" : "text"
    show.textContent = hides ? "Show" : "Hide"
    show.setAttribute("aria-label", hides ? "Show the password" : "Hide the password")
    password.focus()
  })
  // Browsers keep what a field of type "text" held.
  password.form?.addEventListener("submit", () => {
    password.type = "password"
  })
}
