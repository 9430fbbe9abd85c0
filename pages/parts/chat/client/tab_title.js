// @ts-check
// The number of waiting conversations in the tab's title.

/** @import { ChatStore } from "./chat_store.js" */

/** Streamlit sets the title at every run: then the number is added again. */
export class TabTitle {
  /** @param {ChatStore} store */
  constructor(store) {
    this.store = store
    new MutationObserver(() => this.show()).observe(document.head, {
      subtree: true,
      childList: true,
      characterData: true,
    })
    store.subscribe(() => this.show())
    this.show()
  }

  show() {
    const count = this.store.waiting()
    const plain = document.title.replace(/^\(\d+\) /, "")
    const wanted = count ? `(${count}) ${plain}` : plain
    if (document.title !== wanted) document.title = wanted
  }
}
