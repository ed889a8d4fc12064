/** A finding in the page: what its report says, with the report's own style and behaviour, in a shadow root. */
import type { Finding } from "../finding/finding.ts";
import { reportBody } from "../report/html.ts";
import { BEHAVIOURS } from "../report/page/client/behaviours.ts";
import { figure } from "../report/page/figure.ts";
import { LINKED } from "../report/page/linked-style.ts";
import { PageNeeds } from "../report/page/needs.ts";
import { pageStyle } from "../report/page/style.ts";
import { reading } from "../report/parts.ts";
import { drawn } from "../report/views/picture-of.ts";

/** What a report in a page looks like besides. */
const WITHIN = `
:host { --room: 100%; display: block; } .contents, .kicker { display: none; } header { margin-top: 8px; }
.scroll, .attention:has(.heads) { width: 100%; margin-left: 0; } .scroll > * { margin-left: 0 !important; }
.held.token, td.held { box-shadow: 0 0 0 2px var(--ink); } tr.held > td { background: var(--shade); }
svg .held { stroke: var(--ink); stroke-width: 2px; paint-order: stroke; }
`;

export class ReportView {
  readonly #root: ShadowRoot;
  readonly #sheet = new CSSStyleSheet();
  #life = new AbortController();

  /** @param select hears the place of what is clicked */
  constructor(host: HTMLElement, select: (place: string) => void) {
    this.#root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [this.#sheet];
    const press = ({ target }: Event) => {
      if (!(target instanceof Element)) return;
      const place = target.closest<HTMLElement>("[data-at]")?.dataset.at;
      if (place !== undefined) select(place);
    };
    this.#root.addEventListener("click", (event) => (this.#goesTo(event) ? undefined : press(event)));
    this.#root.addEventListener("keydown", (event) => {
      if ((event as KeyboardEvent).key === "Enter" && !(event.target as Element).matches("a, button, summary"))
        press(event);
    });
  }

  /** Shows a finding, or only its picture that answers the question. */
  async show(finding: Finding, only: boolean): Promise<void> {
    const needs = new PageNeeds();
    const html = only ? await answerAlone(finding, needs) : await reportBody(finding, needs, `<p class="kicker"></p>`);
    this.#life.abort();
    this.#life = new AbortController();
    this.#sheet.replaceSync(pageStyle(html, needs).replaceAll(":root", ":host") + WITHIN);
    const inside = document.createElement("div");
    // The page's policy allows no inline style: a script sets it instead. Texts have no quotes that are not escaped.
    inside.innerHTML = html.replaceAll(' style="', ' data-style="');
    for (const styled of inside.querySelectorAll<HTMLElement>("[data-style]")) {
      styled.style.cssText = styled.dataset.style!;
      delete styled.dataset.style;
    }
    this.#root.replaceChildren(inside);
    for (const name of ["page", ...[...needs.features].map((feature) => feature.name)] as const) {
      BEHAVIOURS[name](this.#root, this.#life.signal);
    }
  }

  /** Marks everything that is at a place. */
  mark(place: string): void {
    for (const one of this.#root.querySelectorAll(".held")) one.classList.remove("held");
    const words = place.split(" ").filter(Boolean);
    if (words.length === 0) return;
    const all = words.map((word) => `[data-at~="${CSS.escape(word)}"]`).join("");
    for (const one of this.#root.querySelectorAll(all)) one.classList.add("held");
  }

  destroy(): void {
    this.#life.abort();
    this.#root.replaceChildren();
  }

  /** Follows a link within the report, without a new address. */
  #goesTo(event: Event): boolean {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[href^="#"]');
    if (!link) return false;
    event.preventDefault();
    const there = this.#root.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (there instanceof HTMLDetailsElement) there.open = true;
    there?.scrollIntoView();
    return true;
  }
}

async function answerAlone(finding: Finding, needs: PageNeeds): Promise<string> {
  needs.features.add(LINKED);
  const { answer } = reading(drawn(finding));
  return answer ? figure(answer, needs) : "";
}
