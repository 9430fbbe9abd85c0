// @ts-check
/* How the dialog looks. embed/build.py minifies it: to JavaScript it is a text. */

export const style = `
.box {
  all: initial; display: contents; color-scheme: light dark; color: CanvasText;
  font: 16px/1.4 system-ui, sans-serif; overflow-wrap: anywhere;
  --colour: #495dd7; --text: #fff;
}
a { color: inherit }
b { unicode-bidi: isolate }
[hidden] { display: none !important }
button, .field { all: unset; box-sizing: border-box; padding: 8px 16px; border: 1px solid #8886; border-radius: 16px; cursor: pointer }
:focus-visible { outline: 2px solid #7186f5; outline-offset: 1px }
.card, .pill { position: fixed; z-index: 2147483647; inset-inline-end: calc(16px + env(safe-area-inset-right)); bottom: calc(16px + env(safe-area-inset-bottom)); box-shadow: 0 8px 32px #0003 }
.left .card, .left .pill { inset-inline: calc(16px + env(safe-area-inset-left)) auto }
.card, .off { clip-path: inset(50%) }
.off { position: absolute }
.on .card {
  clip-path: none; display: flex; flex-direction: column; box-sizing: border-box;
  width: 340px; max-height: calc(100vh - 32px); padding: 10px 16px 16px;
  background: Canvas; border: 1px solid #8886; border-radius: 16px;
}
.tall .card { height: 480px }
.head, .foot, .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; justify-content: end }
.title, .field { flex: 1; min-width: 0 }
.head { min-height: min(40px, 12vh) }
.head button { padding: 4px 10px; margin-inline-end: -10px; border-color: #0000 }
.log { flex: 1; overflow: auto; overscroll-behavior: contain }
.line { width: fit-content; max-width: 85%; box-sizing: border-box; margin-bottom: 8px; padding: 8px 16px; border: 1px solid #0000; border-radius: 16px; white-space: pre-wrap; unicode-bidi: plaintext; background: #8882 }
.mine { margin-inline-start: auto; border: 3px double } /* forced colours show all borders, and no background */
.main { min-width: 80px; text-align: center }
.main, .mine { background: var(--colour); border-color: #0000; color: var(--text) }
.name, .note, .row, time { width: 100%; font-size: 13px }
.name, .note, time { display: block }
.row { font-size: inherit; justify-content: start }
time { font-size: 12px; text-align: end }
.note, .head button, ::placeholder { color: inherit; opacity: .75 }
.tall .note { min-height: 19px }
.field { max-height: min(110px, 20vh); field-sizing: content; white-space: pre-wrap; overflow: auto; cursor: text }
:disabled { opacity: .5 }
.pill { padding: 10px 16px }
.badge { margin-inline-start: 4px; padding: 0 8px; border-radius: 16px; background: var(--text); color: var(--colour) }
@media (max-width: 480px) {
  .on .card { inset-inline: 0; bottom: 0; width: 100%; max-height: max(65vh, min(100vh, 360px)); padding-bottom: calc(16px + env(safe-area-inset-bottom)); border-radius: 16px 16px 0 0 }
}
@media print { .box { display: none } }
`;
