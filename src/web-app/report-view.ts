/** A finding in the page: what its report says, with the report's own style and behaviour. */
import type { Finding } from "../finding/finding.ts";
import { escapeMarkup } from "../report/escape.ts";
import { reportBody } from "../report/html.ts";
import { BEHAVIOURS } from "../report/page/client/behaviours.ts";
import { figure } from "../report/page/figure.ts";
import { LINKED } from "../report/page/linked-style.ts";
import { PageNeeds } from "../report/page/needs.ts";
import { pageStyle } from "../report/page/style.ts";
import { reading } from "../report/parts.ts";
import { drawn } from "../report/views/picture-of.ts";

/** A report that is shown. */
export interface Shown {
  /** Removes what it brought to the page. */
  destroy(): void;
}

/** Shows a finding in an element, or only its picture that answers the question. */
export async function showReport(element: HTMLElement, finding: Finding, only: boolean): Promise<Shown> {
  const needs = new PageNeeds();
  const html = only ? await answerAlone(finding, needs) : await reportBody(finding, needs, kicker(finding));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`@layer report { ${pageStyle(html, needs)} }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  element.innerHTML = withoutInlineStyle(html);
  for (const styled of element.querySelectorAll<HTMLElement>("[data-style]")) {
    styled.style.cssText = styled.dataset.style!;
    delete styled.dataset.style;
  }
  const life = new AbortController();
  for (const name of ["page", ...[...needs.features].map((feature) => feature.name)] as const) {
    BEHAVIOURS[name](document, life.signal);
  }
  return {
    destroy: () => {
      life.abort();
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
      element.replaceChildren();
    },
  };
}

const kicker = ({ analysis, model }: Finding): string =>
  `<p class="kicker">${escapeMarkup(analysis)} on ${escapeMarkup(model.name)}</p>`;

async function answerAlone(finding: Finding, needs: PageNeeds): Promise<string> {
  needs.features.add(LINKED);
  const { answer } = reading(drawn(finding));
  return answer ? figure(answer, needs) : "";
}

/** The page's policy allows no inline style: a script sets it instead. Texts have no quotes that are not escaped. */
function withoutInlineStyle(html: string): string {
  return html.replaceAll(' style="', ' data-style="');
}
