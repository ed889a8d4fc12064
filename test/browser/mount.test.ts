/** Pictures and findings in other people's pages, in the browser, under a policy that refuses whatever is inline. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axeCore from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AttentionState } from "../../src/report/mount.ts";
import { seedFinding } from "../report/seed-finding.ts";
import { chromiumPath, launch, type Site, serve } from "./chromium.ts";
import type { Lab } from "./pages/mount.ts";

declare const lab: Lab;
declare global {
  var refused: string[];
}

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'";
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
  <link rel="stylesheet" href="/made/page.css"><script type="module" src="/made/mount.js"></script>
  <main><h1>A page</h1><p id="own">Its own words</p><div id="a"></div><div id="b"></div></main>`;
/** What a page may do to everything in it. */
const CSS = `* { letter-spacing: 5px; } p, td, button { color: red !important; text-transform: uppercase; } .token { display: none; }
  html { font-size: 62.5%; } html.dark { color-scheme: dark; background: black; }`;

describe.skipIf(!chromiumPath)("a mounted view (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  const folder = mkdtempSync(join(tmpdir(), "glassformer-mount-"));
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    await build({
      configFile: false,
      logLevel: "warn",
      build: {
        outDir: folder,
        emptyOutDir: true,
        minify: false,
        rollupOptions: {
          input: fileURLToPath(new URL("pages/mount.ts", import.meta.url)),
          output: { entryFileNames: "mount.js" },
        },
      },
    });
    writeFileSync(join(folder, "page.css"), CSS);
    writeFileSync(join(folder, "finding.json"), JSON.stringify(seedFinding()));
    site = await serve({
      folders: { "/made": folder, "/assets": join(folder, "assets") },
      pages: {},
      answer: ({ url }, response) => {
        response.setHeader("content-security-policy", POLICY);
        if (url !== "/") return false;
        response.setHeader("content-type", "text/html");
        response.end(PAGE);
        return true;
      },
    });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The page, with what its console says and what its policy refuses. */
  async function open(options: BrowserContextOptions = {}) {
    const page = await browser.newPage({ viewport: { width: 1000, height: 900 }, ...options });
    const messages: string[] = [];
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(error.message));
    await page.addInitScript(() => {
      globalThis.refused = [];
      addEventListener("securitypolicyviolation", (event) => globalThis.refused.push(event.violatedDirective));
    });
    await page.goto(site.url);
    await page.waitForFunction(() => "lab" in globalThis);
    return { page, messages };
  }

  /** Mounts a picture in `#a` or `#b`, as `lab.views.NAME`, and writes down what it reports. */
  const mount = (page: Page, name: keyof Lab["pictures"], where = "a") =>
    page.evaluate(
      async ([picture, id]) => {
        const view = lab.mount(document.querySelector(`#${id}`)!, lab.pictures[picture]());
        lab.views[id] = view;
        for (const event of ["select", "hover"] as const) view.on(event, (place) => lab.seen.push([id, event, place]));
        await view.ready;
      },
      [name, where] as const,
    );
  const mountFinding = (page: Page) =>
    page.evaluate(async () => {
      const finding = await (await fetch("/made/finding.json")).json();
      lab.views.a = lab.mount(document.querySelector("#a")!, finding);
      await lab.views.a.ready;
    });
  const state = (page: Page, id = "a") => page.evaluate((one) => lab.views[one].getState(), id);
  const seen = (page: Page) => page.evaluate(() => lab.seen.splice(0));
  const marked = (page: Page, mark: string) =>
    page.locator(mark).evaluateAll((all) => all.map((one) => one.getAttribute("data-at")));

  test("of every kind, and of a finding, needs nothing that a strict policy refuses", async () => {
    const { page, messages } = await open();
    const kinds = await page.evaluate(() => Object.keys(lab.pictures) as (keyof Lab["pictures"])[]);
    expect(kinds.length).toBeGreaterThan(6);
    for (const kind of kinds) await mount(page, kind);
    await mountFinding(page);
    expect(await page.locator("#a figure").count()).toBe(kinds.length + 5);
    expect(messages).toEqual([]);
    expect(await page.evaluate(() => globalThis.refused)).toEqual([]);
    await page.close();
  });

  test("has its own look in a page that styles everything, and leaves the page's as it is", async () => {
    const { page } = await open();
    const own = () => page.locator("#own").evaluate((one) => JSON.stringify(Object.entries(getComputedStyle(one))));
    const before = await own();
    await mount(page, "tokens");
    await mountFinding(page);
    expect(await own()).toBe(before);
    const looks = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((one) => {
          const { color, textTransform, letterSpacing, fontSize, display } = getComputedStyle(one);
          return { color, textTransform, letterSpacing, fontSize, display };
        });
    const plain = { textTransform: "none", letterSpacing: "normal" };
    expect(await looks("#a .lead")).toMatchObject({ ...plain, color: "rgb(27, 28, 31)", fontSize: "18.24px" });
    expect(await looks("#a .token")).toMatchObject({ ...plain, display: "inline", fontSize: "12.8px" });
    await page.close();
  });

  test("shows cells that are pixels as the report does, without an image of the page", async () => {
    const { page } = await open();
    await mount(page, "pixels");
    const colors = await page
      .locator("#a .wide .on-light canvas")
      .evaluate((canvas: HTMLCanvasElement) =>
        [0, 79].map((x) => [...canvas.getContext("2d")!.getImageData(x, 79 - x, 1, 1).data]),
      );
    expect(colors).toEqual([
      [5, 48, 97, 255],
      [103, 0, 31, 255],
    ]);
    expect(await page.locator("#a image").count()).toBe(0);
    await page.close();
  });

  test("is dark where its page is, also when the page turns dark later", async () => {
    const { page } = await open({ colorScheme: "dark" });
    await mount(page, "heatmap");
    await mount(page, "attention", "b");
    const ink = () => page.locator("#a figcaption b").evaluate((one) => getComputedStyle(one).color);
    const cell = () =>
      page.locator("#b .grid-of-heads").evaluate((grid) => {
        const canvas = grid.querySelector<HTMLCanvasElement>(".thumbs")!;
        const [from, to] = [canvas, grid.querySelectorAll(".thumb")[1]].map((one) => one.getBoundingClientRect());
        const { data } = canvas.getContext("2d")!.getImageData(to.left - from.left + 4, to.top - from.top + 4, 1, 1);
        return data[0] + data[1] + data[2];
      });
    expect(await ink()).toBe("rgb(27, 28, 31)");
    const light = await cell();
    await page.evaluate(() => document.documentElement.classList.add("dark"));
    await expect.poll(ink).toBe("rgb(232, 232, 230)");
    await expect.poll(cell).toBeGreaterThan(light + 200);
    await page.close();
  });

  test("says which place a user points at and selects, and lights up the same place when another view says so", async () => {
    const { page } = await open();
    await mount(page, "heatmap");
    await mount(page, "attention", "b");
    await page.evaluate(() => {
      const { a, b } = lab.views;
      for (const [one, other] of [
        [a, b],
        [b, a],
      ]) {
        one.on("select", (selected) => other.setState({ selected }));
        one.on("hover", (pointed) => other.setState({ pointed }));
      }
    });
    await page.locator('#a .wide [data-at="layer=0 head=1"]').hover();
    expect(await seen(page)).toEqual([["a", "hover", { layer: 0, head: 1 }]]);
    expect(await page.locator("#b .view .heading").textContent()).toBe("L0H1");
    await page.locator("h1").hover();
    expect(await page.locator("#b .view .heading").textContent()).toBe("all heads, mixed by hue");
    await page.locator('#a .wide [data-at="layer=0 head=1"]').click();
    await page.locator("h1").hover();
    expect(await page.locator("#b .view .heading").textContent()).toBe("L0H1");
    expect(await page.locator('#b .head[aria-pressed="true"]').textContent()).toBe("L0H1");
    expect((await state(page, "b")).selected).toEqual({ layer: 0, head: 1 });

    await seen(page);
    await page.locator("#b .head").nth(1).click();
    await page.locator("#b .token").nth(2).click();
    await page.locator("h1").hover();
    expect((await seen(page)).filter((one) => (one as string[])[1] === "select")).toEqual([
      ["b", "select", { layer: 0, head: 0 }],
      ["b", "select", { layer: 0, head: 0, pos: 2 }],
    ]);
    expect(await marked(page, "#a .wide .chosen")).toEqual(["layer=0 head=0"]);
    await page.locator("#b .head").nth(2).hover();
    expect(await marked(page, "#a .wide .lit")).toEqual(["layer=0 head=1"]);
    await page.close();
  });

  test("lights up a selected position in texts, though they know neither layers nor heads", async () => {
    const { page } = await open();
    await mount(page, "tokens");
    await page.evaluate(() => lab.views.a.setState({ selected: { layer: 0, head: 3, pos: 1 } }));
    expect(await marked(page, "#a .chosen")).toEqual(["pos=1"]);
    await page.evaluate(() => lab.views.a.setState({ selected: { layer: 0, head: 3 } }));
    expect(await marked(page, "#a .chosen")).toEqual([]);
    await page.close();
  });

  test("can be used with the keyboard as in a report: arrows move, Enter selects, Enter again or Escape releases", async () => {
    const { page } = await open();
    await mount(page, "tokens");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("#a #tip").textContent()).toBe("“␣b” at position 1\nloss: 2");
    expect(await page.locator("#a #tip").isVisible()).toBe(true);
    const press = async (key: string) => {
      await page.keyboard.press(key);
      return (await state(page)).selected;
    };
    expect(await press("Enter")).toEqual({ pos: 1 });
    expect(await press("Enter")).toBe(null);
    expect(await press(" ")).toEqual({ pos: 1 });
    expect(await press("Escape")).toBe(null);
    expect(await page.locator("#a #tip").isVisible()).toBe(false);
    await page.close();
  });

  test("keeps its tip within the window and above what its page puts around it", async () => {
    const { page } = await open();
    await page.evaluate(() => {
      const { style } = document.querySelector<HTMLElement>("#a")!;
      Object.assign(style, { transform: "translate(40px, 20px)", overflow: "hidden", height: "120px" });
    });
    await mount(page, "tokens");
    const token = page.locator("#a .token").nth(1);
    await token.hover();
    const [tip, box] = [(await page.locator("#a #tip").boundingBox())!, (await token.boundingBox())!];
    expect(Math.abs(tip.x + tip.width / 2 - (box.x + box.width / 2))).toBeLessThan(80);
    expect(Math.min(Math.abs(tip.y + tip.height + 8 - box.y), Math.abs(box.y + box.height + 8 - tip.y))).toBeLessThan(
      2,
    );
    await page.close();
  });

  test("shows again what its state says: head, direction, switches, order, zoom and selection", async () => {
    const { page } = await open();
    await mount(page, "manyHeads");
    await page.locator("#a .tools select").selectOption("2");
    await page.locator("#a .head").nth(5).click();
    await page.locator("#a [data-switch=first]").click();
    await page.locator("#a [data-switch=log]").click();
    await page.locator("#a .direction button").nth(1).click();
    await page.locator("#a .token").nth(4).click();
    await page.locator("h1").hover();
    const before = await state(page);
    expect(before.pictures).toMatchObject({
      [Object.keys(before.pictures)[0]]: { hideFirst: true, logarithmic: true, toSource: false, timesValues: false },
    });
    expect(before.selected).toMatchObject({ pos: 4 });
    const sight = (id: string) =>
      page.locator(`#${id} [data-attention]`).evaluate((box) => ({
        texts: [...box.querySelectorAll(".heading, .status, .ramp, .head, .token")].map((one) => one.textContent),
        pressed: [...box.querySelectorAll("[aria-pressed]")].map((one) => one.getAttribute("aria-pressed")),
        stops: [...box.querySelectorAll("[tabindex='0']")].map((one) => one.textContent),
      }));
    await mount(page, "manyHeads", "b");
    await page.evaluate((json) => lab.views.b.setState(JSON.parse(json)), JSON.stringify(before));
    expect(await state(page, "b")).toEqual(before);
    expect((await sight("b")).texts).toEqual((await sight("a")).texts);
    expect((await sight("b")).pressed).toEqual((await sight("a")).pressed);

    await mount(page, "neuron");
    await page.evaluate(() => lab.views.a.setState({ pictures: { activations: { layer: 1, neuron: 0 } } }));
    expect(await page.locator("#a .activations .legend text").first().textContent()).toBe("layer 1, neuron 0");
    await page.close();
  });

  test("brings heads that are out of sight to life when they come near, when they are changed, or after a while", async () => {
    const { page } = await open();
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await page.locator("#b").evaluate((one) => one.style.setProperty("margin-top", "4000px"));
    const alive = (id = "b") => page.locator(`#${id} .moving`).count();
    const mountAgain = async () => {
      await page.evaluate(() => lab.views.b?.destroy());
      await mount(page, "manyHeads", "b");
    };
    const show = (attention: object) =>
      page.evaluate((some) => lab.views.b.setState({ pictures: { attention: some as AttentionState } }), attention);

    await mount(page, "manyHeads");
    expect(await alive("a")).toBe(1);
    const first = await state(page, "a");
    await mountAgain();
    expect(await state(page, "b")).toEqual(first);
    await show(first.pictures.attention);
    expect(await alive()).toBe(0);
    await page.locator("#b").evaluate((one) => one.scrollIntoView());
    await page.locator("#b .moving").waitFor();
    expect(await state(page, "b")).toEqual(first);

    await page.evaluate(() => scrollTo(0, 0));
    await mountAgain();
    await show({ zoom: 2 });
    expect(await alive()).toBe(1);
    expect((await state(page, "b")).pictures.attention).toEqual({ ...first.pictures.attention, zoom: 2 });

    await mountAgain();
    expect(await alive()).toBe(0);
    await page.clock.runFor(1000);
    expect(await alive()).toBe(1);
    await page.close();
  });

  test("comes to life in steps when the page is at rest, and in one when it is changed in between", async () => {
    const { page } = await open();
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await page.locator("#b").evaluate((one) => one.style.setProperty("margin-top", "4000px"));
    await mount(page, "manyHeads", "b");
    const status = () => page.locator("#b .status").textContent();
    // This timer comes after that of the view, which has then taken its first step.
    await page.evaluate(() =>
      setTimeout(() => {
        const [box] = document.querySelector("#b .glassformer")!.shadowRoot!.querySelectorAll("[data-attention]");
        const text = () => box.querySelector(".status")!.textContent;
        lab.seen.push([box.classList.contains("moving"), text()]);
        lab.views.b.setState({ selected: { layer: 0, head: 1 } });
        lab.seen.push([box.classList.contains("moving"), text()]);
      }, 1000),
    );
    await page.clock.runFor(1001);
    const [before, after] = (await seen(page)).slice(-2);
    expect(before).toEqual([true, ""]);
    expect(after).toEqual([true, await status()]);
    expect(await status()).toMatch(/^L0H1: /);
    await page.locator("#b .head").nth(5).click();
    expect((await seen(page)).filter((one) => (one as string[])[1] === "select")).toHaveLength(1);
    await page.close();
  });

  test("of a graph remembers what is locked, pinned and in groups, and shows it again", async () => {
    const { page } = await open();
    await mount(page, "graph");
    const start = await state(page);
    await page.evaluate(() => lab.views.a.on("change", (now) => lab.seen.push(now.pictures)));
    for (const name of ["N2", "N3", "out"]) await page.locator(`#a [data-node][data-tip^="${name}"]`).dblclick();
    await page.locator("#a [data-view=pinned]").click();
    for (const name of ["N2", "N3"]) await page.locator(`#a [data-node][data-tip^="${name}"]`).click();
    await page.locator("#a [name=label]").fill("two");
    await page.locator("#a [data-act=group]").click();
    const { pictures } = await state(page);
    const words = { share: 1, locked: ["two"], pinned: ["N2@1", "N3@1", "out"], pinnedOnly: true };
    expect(pictures).toEqual({ words: { ...words, groups: [["two", "N2@1", "N3@1"]] } });
    expect((await seen(page)).at(-1)).toEqual(pictures);

    await mount(page, "graph", "b");
    await page.evaluate((json) => lab.views.b.setState({ pictures: JSON.parse(json) }), JSON.stringify(pictures));
    expect((await state(page, "b")).pictures).toEqual(pictures);
    const nodes = (id: string) => page.locator(`#${id} [data-node] text`).allTextContents();
    expect(await nodes("b")).toEqual(["two", "out"]);
    await page.evaluate((json) => lab.views.b.setState(JSON.parse(json)), JSON.stringify(start));
    expect(await nodes("b")).toEqual(["a", "b", "1", "2", "3", "out"]);
    await page.close();
  });

  test("of a graph lights up the places of its nodes, also once it is drawn again", async () => {
    const { page } = await open();
    await mount(page, "graph");
    const place = { layer: 0, pos: 0, d_mlp: 1 };
    await page.evaluate((selected) => lab.views.a.setState({ selected }), place);
    expect(await marked(page, "#a .chosen")).toEqual(["layer=0 pos=0 d_mlp=1"]);
    await page.locator("#a [name=share]").fill("50");
    expect(await marked(page, "#a .chosen")).toEqual(["layer=0 pos=0 d_mlp=1"]);
    await page.locator('#a [data-node][data-tip^="N1"]').click();
    await expect.poll(async () => (await state(page)).selected).toBe(null);
    await page.close();
  });

  test("keeps a selection that exists in new data, and drops a token that does not", async () => {
    const { page } = await open();
    await mount(page, "attention");
    await page.locator("#a .head").nth(2).click();
    await page.locator("#a .token").nth(2).click();
    await page.locator("h1").hover();
    const set = (count: number) =>
      page.evaluate(async (n) => {
        const { spec } = lab.pictures.attention();
        if (spec.kind !== "attention") throw new Error("not attention");
        const heads = spec.heads.map((head) => ({
          ...head,
          pattern: Array.from({ length: n }, () => Array(n).fill(0.5)),
        }));
        await lab.views.a.setData({ ...spec, heads, tokens: Array.from({ length: n }, (_, i) => `t${i}`) });
      }, count);
    await set(4);
    expect(await page.locator("#a .status").textContent()).toBe("L0H1: where “t2” (2) attends to");
    await set(2);
    expect(await page.locator("#a .status").textContent()).toContain("L0H1: what each token receives");
    await page.close();
  });

  test("of a long text has tables that are made when they are unfolded, with tips, places and what is selected", async () => {
    const { page } = await open();
    await mount(page, "longLens");
    const cells = () => page.locator("#a .lens td").count();
    const [folds, before] = [page.locator("#a details.rows"), await cells()];
    expect(await folds.count()).toBeGreaterThan(5);
    expect(before).toBeLessThan(1600);
    expect(await page.locator("#a *").count()).toBeLessThan(6000);
    await page.evaluate(() => lab.views.a.setState({ selected: { pos: 3 } }));
    expect(await page.locator("#a .chosen").count()).toBe(0);
    for (const fold of await folds.all()) {
      if ((await fold.getAttribute("open")) === null) await fold.locator("summary").click();
    }
    await expect.poll(cells).toBe(13 * 1024);
    await expect.poll(() => page.locator("#a td.chosen").count()).toBe(13);
    const third = page.locator('#a td[data-at~="pos=3"]').first();
    await third.hover();
    expect(await page.locator("#a #tip").textContent()).toContain("after “␣w3” (3)");
    await page.locator('#a td[data-at~="pos=4"]').first().click();
    await expect.poll(async () => (await state(page)).selected).toMatchObject({ pos: 4 });
    const painted = await third.evaluate((one) => getComputedStyle(one).backgroundColor);
    expect(painted).not.toBe("rgba(0, 0, 0, 0)");
    await page.close();
  });

  test("of a finding makes a long table when it is unfolded, and sorts it", async () => {
    const { page } = await open();
    await mountFinding(page);
    const fold = page.locator("#a .table details.rows").first();
    const rows = () => fold.locator("tbody tr").count();
    expect(await rows()).toBe(0);
    await fold.locator("summary").first().click();
    await expect.poll(rows).toBeGreaterThan(40);
    const values = () =>
      fold.locator("tbody tr").evaluateAll((all) =>
        all.flatMap((row) => {
          const number = row.querySelector<HTMLElement>("td.number")?.dataset.v;
          return number ? [Number(number)] : [];
        }),
      );
    await fold.locator("th.number button").first().click();
    const sorted = await values();
    expect(sorted.length).toBeGreaterThan(40);
    expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
    await page.close();
  });

  test("of several data that are set shows the last", async () => {
    const { page } = await open();
    await mount(page, "tokens");
    await page.evaluate(() =>
      Promise.all([lab.views.a.setData(lab.pictures.pixels()), lab.views.a.setData(lab.pictures.lens())]),
    );
    expect(await page.locator("#a figure").count()).toBe(1);
    expect(await page.locator("#a .lens").count()).toBe(1);
    await page.close();
  });

  test("of a finding in place of another is put there in turns, keeps what is the same, and leaves exactly the last that was set", async () => {
    const { page, messages } = await open({ viewport: { width: 700, height: 300 } });
    await page.evaluate(async () => {
      const first = await (await fetch("/made/finding.json")).json();
      const pictures = [{ ...lab.pictures.attention().spec, name: "heads" }, ...first.pictures];
      pictures.push({ ...lab.pictures.heatmap(), name: "map" }, { ...lab.pictures.pixels().spec, name: "pixels" });
      const other = JSON.parse(JSON.stringify(first).replaceAll("MLP", "MPL").replaceAll("is exact", "is EXACT"));
      const short = { ...first, summary: first.summary.slice(0, 1), pictures: [], tables: [], caveats: [] };
      // However fast it is, there is a turn after each part below the window.
      let now = 0;
      performance.now = () => (now += 100);
      Object.assign(globalThis, {
        findings: { first, other, long: { ...other, pictures }, short },
        parts: (id: string) => [
          ...document.querySelector(`#${id} .glassformer`)!.shadowRoot!.querySelectorAll("article > *"),
        ],
      });
      lab.views.a = lab.mount(document.querySelector("#a")!, first);
      await lab.views.a.ready;
    });
    type Name = "first" | "other" | "long" | "short";
    type Globals = { findings: Record<Name, Parameters<Lab["mount"]>[1]>; parts: (id: string) => HTMLElement[] };
    /** Sets a finding, and another when the first part of that is there. @returns whether the last part ever had the other words, and whether the first is the element that it was */
    const set = (...names: Name[]) =>
      page.evaluate(async ([one, next]) => {
        const { findings, parts } = globalThis as unknown as Globals;
        const { a } = lab.views;
        const heading = parts("a")[0];
        const changed = new Promise<void>((go) => {
          const watch = () => parts("a")[0].textContent!.includes("MPL") && go();
          new MutationObserver(watch).observe(parts("a")[0], { subtree: true, childList: true, characterData: true });
        });
        let wasWhole = false;
        const last = () => {
          wasWhole ||= parts("a").at(-1)!.textContent!.includes("EXACT");
        };
        const watched = new MutationObserver(last);
        watched.observe(parts("a")[0].parentElement!, { subtree: true, childList: true, characterData: true });
        const setting = a.setData(findings[one]);
        if (next) {
          await changed;
          await a.setData(findings[next]);
        }
        await setting;
        watched.disconnect();
        return { wasWhole, kept: heading === parts("a")[0] };
      }, names);
    /** The parts where others were, and where nothing was, with what is out of sight brought to life. */
    const both = (name: Name) =>
      page.evaluate(async (one) => {
        const { findings, parts } = globalThis as unknown as Globals;
        lab.views.b?.destroy();
        lab.views.b = lab.mount(document.querySelector("#b")!, findings[one]);
        await lab.views.b.ready;
        const zoomed = { pictures: { heads: { zoom: 2 } as AttentionState } };
        for (const view of [lab.views.a, lab.views.b]) if (view.getState().pictures.heads) view.setState(zoomed);
        await new Promise((drawn) => setTimeout(drawn, 200));
        return ["a", "b"].map((id) => parts(id).map(({ outerHTML }) => outerHTML));
      }, name);
    const rounds: [names: [Name] | [Name, Name], wasWhole: boolean][] = [
      [["long", "short"], false],
      [["long"], true],
      [["short"], false],
      [["other", "short"], false],
      [["other"], true],
      [["first"], true],
    ];
    for (const [names, wasWhole] of rounds) {
      expect(await set(...names), names.join()).toEqual({ wasWhole, kept: true });
      const [there, fresh] = await both(names.at(-1)!);
      expect(there.length).toBeGreaterThan(1);
      expect(there, names.join()).toEqual(fresh);
    }
    expect(messages).toEqual([]);
    expect(await page.evaluate(() => globalThis.refused)).toEqual([]);
    await page.close();
  });

  test("leaves no node and no listener behind when it is destroyed", async () => {
    const { page } = await open();
    const cdp = await page.context().newCDPSession(page);
    const listeners = async () => {
      const counts: number[] = [];
      for (const expression of ["window", "document", "document.documentElement", "document.body"]) {
        const { result } = await cdp.send("Runtime.evaluate", { expression });
        const found = await cdp.send("DOMDebugger.getEventListeners", { objectId: result.objectId! });
        counts.push(found.listeners.length);
      }
      return counts;
    };
    const before = [await listeners(), await page.locator("body *").count()];
    await mount(page, "manyHeads", "b");
    await mountFinding(page);
    expect(await listeners()).not.toEqual(before[0]);
    await page.evaluate(() => {
      const hosts = [...document.querySelectorAll(".glassformer")];
      // Chromium itself, which fills in forms, holds on to figures that have had a select.
      const inside = document.querySelector("#a .glassformer")!.shadowRoot!.querySelectorAll("figure, table");
      Object.assign(globalThis, { gone: [...hosts, ...inside].map((one) => new WeakRef(one)) });
      for (const view of Object.values(lab.views)) {
        view.destroy();
        view.destroy();
      }
      lab.views = {};
    });
    expect([await listeners(), await page.locator("body *").count()]).toEqual(before);
    const left = async () => {
      await cdp.send("HeapProfiler.collectGarbage");
      return page.evaluate(() =>
        (globalThis as unknown as { gone: WeakRef<Element>[] }).gone.flatMap((ref) => ref.deref()?.tagName ?? []),
      );
    };
    await expect.poll(left, { timeout: 15_000 }).toEqual([]);
    await page.close();
  });

  test("refuses what it cannot show, in a sentence", async () => {
    const { page } = await open();
    const messages = await page.evaluate(async () => {
      const at = document.querySelector("#a")!;
      const view = lab.mount(at, lab.pictures.attention());
      await view.ready;
      const wrong = [
        () => lab.mount(at, { kind: "pie", name: "p", title: "" } as never),
        () => lab.mount(at, { kind: "imshow", table: "t", name: "p", x: "x", y: "y", color: "c" } as never),
        () => lab.mount(at, 5 as never),
        () => lab.mount("#a" as never, lab.pictures.lens()),
        () => lab.mount(at, lab.pictures.lens(), { them: "dark" } as never),
        () => view.on("selected" as never, () => {}),
        () => view.setState({ pictures: { attenion: {} } } as never),
        () => view.setState({ selected: 3 } as never),
        () => view.destroy(),
        () => view.setData(lab.pictures.lens()),
      ];
      const said: string[] = [];
      for (const act of wrong) {
        try {
          await act();
        } catch (error) {
          said.push((error as Error).message);
        }
      }
      return said;
    });
    expect(messages).toMatchInlineSnapshot(`
      [
        "There is no kind of picture "pie". There are imshow, facets, line, scatter, hist, bar, tokens, attention, activations, topk, logit-lens, graph.",
        "This picture is a view of a finding's table and has no numbers of its own: mount the finding.",
        "mount takes a picture, as imshow or attentionHeads return it, or a finding, as an analysis returns it, not 5.",
        "mount takes the element of a page that gets the view, not "#a".",
        "mount has no option "them". Did you mean "theme"?",
        "There is no event of a mounted view "selected". Did you mean "select"?",
        "There is no picture with a state "attenion". Did you mean "attention"?",
        "The option selected of setState must be an object or null, not 3.",
        "This view has been destroyed: mount another one for other data.",
      ]
    `);
    await page.close();
  });

  test("passes axe-core, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await open({ colorScheme, bypassCSP: true });
      if (colorScheme === "dark") await page.evaluate(() => document.documentElement.classList.add("dark"));
      for (const kind of ["attention", "heatmap", "pixels", "lens", "neuron", "tokens"] as const)
        await mount(page, kind, "b");
      await mountFinding(page);
      await page.evaluate(axeCore.source);
      const found = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: {
            run(
              where: object,
            ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
          };
        };
        const { violations } = await axe.run({ include: [["#a"], ["#b"]] });
        return violations.map(
          ({ id, nodes }) => `${id} × ${nodes.length}: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`,
        );
      });
      expect(found).toEqual([]);
      await page.close();
    }
  });
});
