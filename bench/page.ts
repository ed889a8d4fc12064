/**
 * The page with a model of 12 layers and 12 heads: from a move of the pointer over attention on 128 tokens to the frame that shows it, and the
 * longest task of the main thread while findings of 1024 tokens arrive and are drawn.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { MainThread, type Task } from "./main-thread.ts";
import { rounded } from "./measure.ts";
import { chooseModel, computed, openSite, textOf, writeModel } from "./page-site.ts";

const [FEW, MANY] = [128, 1024];
const MOVES = 40;
/** The mark before a move. */
const MOVE = "move";
/** Milliseconds after which what a move has caused is over. */
const REST = 100;
const ANALYSES = ["look", "attention-patterns", "logit-lens", "direct-logit-attribution"];
/** What a task has that is part of answering a move of the pointer. */
const ANSWERS = ["EventDispatch", "FireAnimationFrame", "UpdateLayoutTree", "Layout", "Paint"];

export async function page() {
  const folder = await mkdtemp(join(tmpdir(), "glassformer-bench-"));
  const files = await writeModel(folder);
  const { page, close } = await openSite();
  try {
    await chooseModel(page, files);
    const thread = await MainThread.of(page);
    const hover = await hovering(page, thread);
    const findings: Record<string, unknown> = {};
    await choose(page, "look");
    await prompt(page, MANY);
    for (const analysis of ANALYSES) findings[analysis] = await arriving(page, thread, analysis);
    return { hover, findings };
  } finally {
    await close();
    await rm(folder, { recursive: true });
  }
}

/** Changes the text, while the page shows what the model makes of it. */
async function prompt(page: Page, tokens: number): Promise<void> {
  await page.getByLabel("Prompt", { exact: true }).fill(await textOf(tokens));
  await page.locator(".prompt .count", { hasText: `${tokens} tokens` }).waitFor();
  await computed(page, "look");
}

async function choose(page: Page, analysis: string): Promise<void> {
  await page.getByRole("button", { name: analysis.replaceAll("-", " "), exact: true }).click();
  await computed(page, analysis);
}

async function hovering(page: Page, thread: MainThread) {
  await prompt(page, FEW);
  await choose(page, "attention-patterns");
  await page.locator("[data-drawn]").waitFor();
  const figure = page.locator("figure:has(.grid-of-heads)");
  return {
    "large head": await moves(page, thread, figure.locator(".frame"), 0.3),
    thumbnails: await moves(page, thread, figure.locator(".grid-of-heads")),
    tokens: await moves(page, thread, figure.locator(".reading .tokens")),
  };
}

/** What moves of the pointer within an element cost, apart from this part of it at the edges. */
async function moves(page: Page, thread: MainThread, over: Locator, edge = 0.05) {
  await over.scrollIntoViewIfNeeded();
  const box = (await over.boundingBox())!;
  const tasks = await thread.tasksOf(async () => {
    for (let i = 0; i < MOVES; i++) {
      // Two irrational steps: places that never repeat, all over the element.
      const [x, y] = [(i * 0.618034) % 1, (i * 0.754878) % 1].map((part) => edge + (1 - 2 * edge) * part);
      await page.evaluate((name) => performance.mark(name), MOVE);
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
      await page.waitForTimeout(REST);
    }
  });
  const starts = tasks.flatMap(({ of }, i) => (of.has(MOVE) ? [i] : []));
  const found = starts.map((from, i) => answerIn(tasks.slice(from + 1, starts[i + 1])));
  return {
    processor_ms: spread(found.map(({ processor }) => processor)),
    clock_ms: spread(found.map(({ clock }) => clock)),
  };
}

/** The work of all tasks that answer a move, and the time from the first event to the end of the last frame. */
function answerIn(tasks: readonly Task[]): { processor: number; clock: number } {
  const from = tasks.findIndex(({ of }) => of.has("EventDispatch"));
  const answers = tasks.slice(Math.max(0, from)).filter(({ of }) => ANSWERS.some((name) => of.has(name)));
  const last = answers.findLast(({ of }) => of.has("Paint"));
  return {
    processor: answers.reduce((sum, { processor }) => sum + processor, 0),
    clock: last ? last.start + last.clock - answers[0].start : 0,
  };
}

function spread(list: readonly number[]) {
  const sorted = [...list].sort((a, b) => a - b);
  return { median: rounded(sorted[sorted.length >> 1]), p95: rounded(sorted[Math.floor(0.95 * sorted.length)]) };
}

/** The longest tasks from the choice of an analysis until its finding is drawn. */
async function arriving(page: Page, thread: MainThread, analysis: string) {
  await choose(page, analysis === "look" ? "test-prompt" : "look");
  const tasks = await thread.tasksOf(async () => {
    await choose(page, analysis);
    await page.waitForTimeout(2000);
  });
  const longest = (time: (task: Task) => number) => rounded(Math.max(...tasks.map(time)), 0);
  return {
    longest_task_processor_ms: longest(({ processor }) => processor),
    longest_task_clock_ms: longest(({ clock }) => clock),
    nodes: await page.evaluate(() => {
      const mounted = document.querySelector(".found .glassformer")!.shadowRoot!;
      return document.querySelectorAll("*").length + mounted.querySelectorAll("*").length;
    }),
    heap_mb: rounded((await thread.heap()) / 1e6, 0),
  };
}
