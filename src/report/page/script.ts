/**
 * What a page does: a tip next to what is under the pointer or focused, arrow keys from token to token, text to text and cell to cell, tables
 * sorted by a click on a heading. Without it everything is still readable: hover texts are plain titles, tables keep their order.
 */
export const SCRIPT = `(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const tip = document.createElement("div");
  tip.id = "tip"; tip.hidden = true; tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  for (const title of all("figure svg title")) { title.parentNode.dataset.tip = title.textContent; title.remove(); }
  for (const token of all(".tokens [title], .grid [title]")) { token.dataset.tip = token.title; token.removeAttribute("title"); }
  let shown = null;
  const hide = () => { if (shown) { shown.removeAttribute("aria-describedby"); shown = null; tip.hidden = true; } };
  const show = (target) => {
    hide();
    if (!target) return;
    shown = target; tip.textContent = target.dataset.tip; tip.hidden = false;
    // What has the same words as its name needs no description.
    if (!target.matches("svg *")) target.setAttribute("aria-describedby", "tip");
    const box = target.getBoundingClientRect(), w = tip.offsetWidth, h = tip.offsetHeight;
    const left = Math.max(8, Math.min(box.left + box.width / 2 - w / 2, document.documentElement.clientWidth - w - 8));
    tip.style.left = left + "px"; tip.style.top = (box.top - h - 8 > 0 ? box.top - h - 8 : box.bottom + 8) + "px";
  };
  const near = (event) => event.target instanceof Element ? event.target.closest("[data-tip]") : null;
  addEventListener("pointerover", (event) => show(near(event)));
  addEventListener("focusin", (event) => show(near(event)));
  addEventListener("tip", (event) => show(near(event)));
  addEventListener("focusout", hide);
  addEventListener("scroll", hide, { passive: true, capture: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const token = event.target instanceof Element ? event.target.closest(".tokens .token") : null;
    if (!token) return;
    const row = all(".token", token.parentNode), at = row.indexOf(token);
    const rows = all(".tokens", token.closest("figure") ?? document), line = rows.indexOf(token.parentNode);
    const to = { ArrowRight: row[at + 1], ArrowLeft: row[at - 1], Home: row[0], End: row[row.length - 1] }[event.key];
    const other = rows[line + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
    const next = to ?? (other && all(".token", other).slice(0, at + 1).pop());
    if (!next) return;
    event.preventDefault(); token.tabIndex = -1; next.tabIndex = 0; next.focus();
  });
  addEventListener("keydown", (event) => {
    const cell = event.target instanceof Element ? event.target.closest(".grid td") : null;
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!cell || !step) return;
    const rows = all("tr", cell.closest("table")), row = rows.indexOf(cell.parentNode);
    const to = rows[row + step[0]]?.cells[cell.cellIndex + step[1]];
    if (!to?.dataset.tip) return;
    event.preventDefault(); cell.tabIndex = -1; to.tabIndex = 0; to.focus();
  });
  for (const box of all(".scroll, .texts")) {
    const look = () => {
      const wide = box.scrollWidth > box.clientWidth + 1, high = box.scrollHeight > box.clientHeight + 1;
      box.toggleAttribute("data-more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
      box.toggleAttribute("data-moved", box.scrollLeft > 1);
      box.toggleAttribute("data-below", box.scrollTop + box.clientHeight < box.scrollHeight - 2);
      if ((wide || high) && !box.querySelector("[tabindex]")) box.tabIndex = 0;
    };
    box.addEventListener("scroll", look, { passive: true });
    new ResizeObserver(look).observe(box);
  }
  const links = all(".contents a"), places = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  const mark = () => {
    const here = places.findLastIndex((place) => place && place.getBoundingClientRect().top < innerHeight / 3);
    links.forEach((link, i) => { if (i === here) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
  };
  const unfold = (hash) => { const place = document.getElementById(decodeURIComponent(hash.slice(1))); if (place?.tagName === "DETAILS") place.open = true; };
  addEventListener("click", (event) => { const link = event.target.closest('a[href^="#"]'); if (link) unfold(link.hash); });
  addEventListener("hashchange", () => unfold(location.hash)); unfold(location.hash);
  if (links.length) { addEventListener("scroll", mark, { passive: true }); mark(); }
  for (const table of all("table:not(.grid)")) {
    all("thead th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      if (!head.textContent.trim()) button.setAttribute("aria-label", "sort by column " + (column + 1));
      button.append(...head.childNodes); head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : head.classList.contains("number");
        for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
        const body = table.tBodies[0];
        body.append(...[...body.rows].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (x === "" || y === "") return (x === "") - (y === "");
          return (down ? -1 : 1) * (isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y);
        }));
      });
    });
  }
})();`;

/** The script's SHA-256, in the page's content security policy: this script runs, and no other. A test compares them. */
export const SCRIPT_HASH = "sha256-UVM23gGFDHrRbWWzLqRvLg1kwj7NnYUPB1rrboZH4iI=";
