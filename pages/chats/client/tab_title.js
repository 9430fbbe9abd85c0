// The number of waiting conversations in the tab's title.

// Streamlit sets the title at every run: the number is put before it again.
export class TabTitle {
  constructor(store) {
    this.store = store
    new MutationObserver(() => this.show()).observe(document.head, {
      subtree: true,
      childList: true,
      characterData: true,
    })
    store.listen(() => this.show())
    this.show()
  }

  show() {
    const count = this.store.waiting()
    const plain = document.title.replace(/^\(\d+\) /, "")
    const wanted = count ? `(${count}) ${plain}` : plain
    if (document.title !== wanted) document.title = wanted
  }
}
