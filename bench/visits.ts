/** Visits to the page of `glassformer serve`: with an empty profile, and later in the same profile. What a person waits for, in milliseconds from the start of the visit. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { listenAt, pageServer } from "../src/cli/page-server.ts";
import { webFolders } from "../src/cli/web-folders.ts";
import { rounded } from "./measure.ts";
import { chromiumThere } from "./page-site.ts";

const PROFILES = 3;
const LATER = 5;
/** How long a page rests before it is left, in ms: browsers store compiled code meanwhile. */
const REST = 1000;

/** When what is there: the first paint, the stored finding, what the window shows of the computed one, and all of that, which can be used. */
interface Visit {
  readonly paint: number;
  readonly stored: number;
  readonly computed: number;
  readonly whole: number;
}

declare global {
  var visit: { stored?: number; computed?: number; whole?: number };
}

export async function visits() {
  const server = pageServer(await webFolders());
  const url = `http://127.0.0.1:${await listenAt(server)}/`;
  const first: Visit[] = [];
  const later: Visit[] = [];
  try {
    for (let i = 0; i < PROFILES; i++) {
      const profile = await mkdtemp(join(tmpdir(), "glassformer-bench-"));
      const context = await chromium.launchPersistentContext(profile, {
        ...{ executablePath: chromiumThere(), headless: false, viewport: { width: 1280, height: 900 } },
        args: ["--headless=new", "--no-sandbox"],
      });
      await context.addInitScript(watch);
      first.push(await visitOf(context, url));
      for (let j = 0; j < LATER; j++) later.push(await visitOf(context, url));
      await context.close();
      await rm(profile, { recursive: true, force: true });
    }
  } finally {
    server.close();
  }
  return { first: medians(first), later: medians(later) };
}

async function visitOf(context: BrowserContext, url: string): Promise<Visit> {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => globalThis.visit.whole !== undefined);
  await page.waitForTimeout(REST);
  const found = await page.evaluate(() => {
    const [{ startTime }] = performance.getEntriesByType("paint");
    const { stored, computed, whole } = globalThis.visit;
    return { paint: startTime, stored: stored!, computed: computed!, whole: whole! };
  });
  await page.close();
  return found;
}

/** Runs in the page: notes when there are findings. Its functions have no names, which tsx would add to them by one of its own. */
function watch(): void {
  globalThis.visit = {};
  let watched: Element | null = null;
  new MutationObserver(() => {
    if (document.querySelector('[data-of="computed"] .finding[aria-busy="false"]')) {
      globalThis.visit.whole ??= performance.now();
    }
    const view = document.querySelector(".found .glassformer")?.shadowRoot?.querySelector("#view") ?? null;
    if (!view || view === watched) return;
    watched = view;
    new MutationObserver(() => {
      const isComputed = document.querySelector('[data-of="computed"]') !== null;
      globalThis.visit[isComputed ? "computed" : "stored"] ??= performance.now();
    }).observe(view, { childList: true, subtree: true, attributes: true, characterData: true });
  }).observe(document, { childList: true, subtree: true, attributeFilter: ["aria-busy"] });
}

function medians(list: readonly Visit[]): Visit {
  const median = (of: keyof Visit) => rounded(list.map((one) => one[of]).sort((a, b) => a - b)[list.length >> 1], 0);
  return { paint: median("paint"), stored: median("stored"), computed: median("computed"), whole: median("whole") };
}
