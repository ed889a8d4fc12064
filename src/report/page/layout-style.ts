/** Wide and long things scroll, with a fade where there is more of them; drawings for paper are for paper alone. */
export const SCROLL = `
.scroll { overflow-x: auto; width: var(--room); margin-left: calc(50% - var(--room) / 2); scrollbar-width: thin; }
.scroll[data-more] { mask-image: linear-gradient(90deg, #000 calc(100% - 64px), #0003); }
.scroll > table { width: max-content; min-width: min(var(--text), 100%); margin: 0 auto; }
.scroll > .grid { min-width: 0; } .scroll > svg { width: max(var(--width), min(var(--text), 100%)); margin: 0 auto; }
.scroll tr > :first-child { position: sticky; left: 0; background: var(--page); z-index: 1; }
.scroll[data-moved] tr > :first-child { box-shadow: inset -1px 0 var(--rule); }
.tall { max-height: 84vh; overflow-y: auto; } .tall thead th { position: sticky; top: 0; background: var(--page); z-index: 2; border-bottom: 0; box-shadow: inset 0 -1.5px var(--ink); }
.tall thead th:first-child { z-index: 3; }
.tall[data-below] { mask-image: linear-gradient(#000 calc(100% - 40px), #0003); }
.paper { display: none; }
`;

/** Where things stand on a screen: a column of text, contents beside it where there is room, and wide things up to the window's edge. */
export const LAYOUT = `
:root { --edge: 24px; --text: 680px; --room: calc(100vw - 2 * var(--edge)); }
main { width: min(var(--text), 100% - 2 * var(--edge)); margin: 0 auto; padding: 44px 0 96px; }
.contents { font-size: 0.88rem; margin: 28px 0 0; display: flex; flex-wrap: wrap; gap: 2px 18px; }
.contents a { text-decoration: none; } .contents a:hover { text-decoration: underline; }
@media screen and (min-width: 1000px) { .attention:has(.heads) { --w: min(820px, var(--room)); width: var(--w); margin-left: calc(50% - var(--w) / 2); } }
header + figure .texts { max-height: max(46vh, 420px); overflow-y: auto; scrollbar-width: thin; padding: 2px; }
header + figure .texts[data-below] { mask-image: linear-gradient(#000 calc(100% - 56px), #0003); }
@media (max-width: 600px) { .scroll > .grid { margin: 0; } :root { --edge: 18px; } main { padding: 28px 0 64px; } }
@media screen and (min-width: 1240px) {
  :root { --left: max(262px, 50vw - 400px); --room: calc(100vw - var(--left) - 40px); }
  main { margin-left: var(--left); } h1 { width: min(900px, 100vw - var(--left) - 40px); }
  .scroll, .attention:has(.heads) { margin-left: 0; } .scroll > * { margin: 0 !important; }
  .contents { position: fixed; top: 48px; left: calc(var(--left) - 238px); width: 194px; max-height: calc(100vh - 96px); overflow-y: auto; margin: 0;
    display: block; font-size: 0.8rem; line-height: 1.4; scrollbar-width: none; }
  .contents a { display: block; padding: 4px 0 4px 12px; border-left: 2px solid var(--rule); color: var(--soft); }
  .contents a:hover { color: var(--ink); text-decoration: none; } .contents a[aria-current] { color: var(--ink); border-color: var(--accent); }
}
`;
