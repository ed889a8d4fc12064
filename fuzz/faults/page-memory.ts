/** How much memory a page takes: its own objects, its worker's, WebAssembly's, and the whole process. */
import { readFileSync } from "node:fs";
import type { CDPSession, Page } from "playwright-core";
import { type Send, targetSession } from "../../test/browser/target-session.ts";

/** In MB, after a garbage collection. */
export interface PageMemory {
  /** JavaScript objects of the page. */
  readonly page: number;
  /** JavaScript objects of the worker; undefined without one. */
  readonly worker: number | undefined;
  /** All that the browser counts as the page's and its worker's, WebAssembly's memory too; undefined if it does not answer in time. */
  readonly all: number | undefined;
  /** What the page's process has in memory. */
  readonly process: number;
}

/** For the browser to count all memory, which it does with a garbage collection of its own. */
const PATIENCE = 60_000;
const MB = 1e6;

export class MemoryOf {
  readonly #page: Page;
  #browser: CDPSession | undefined;
  readonly #workers = new Map<string, Send>();

  constructor(page: Page) {
    this.#page = page;
  }

  async read(): Promise<PageMemory> {
    this.#browser ??= await this.#page.context().browser()!.newBrowserCDPSession();
    const { targetInfos } = await this.#browser.send("Target.getTargets", { filter: [{}] });
    const own = await this.#heap(targetInfos.find(({ type }) => type === "page")!.targetId);
    const worker = targetInfos.find(({ type, url }) => type === "worker" && url.includes("/worker-"));
    return {
      page: own,
      worker: worker && (await this.#heap(worker.targetId)),
      all: await this.#all(),
      process: await this.#process(),
    };
  }

  async #heap(targetId: string): Promise<number> {
    const send = this.#workers.get(targetId) ?? (await targetSession(this.#browser!, targetId));
    this.#workers.set(targetId, send);
    await send("HeapProfiler.collectGarbage");
    const { usedSize } = await send<{ usedSize: number }>("Runtime.getHeapUsage");
    return rounded(usedSize);
  }

  async #all(): Promise<number | undefined> {
    const bytes = await this.#page.evaluate((patience) => {
      const measured = (
        performance as never as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> }
      ).measureUserAgentSpecificMemory();
      const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patience));
      return Promise.race([measured.then((found) => found.bytes), late]);
    }, PATIENCE);
    return bytes === undefined ? undefined : rounded(bytes);
  }

  /** The largest of the browser's processes for pages: the others are its own. */
  async #process(): Promise<number> {
    const { processInfo } = await this.#browser!.send("SystemInfo.getProcessInfo");
    const pages = processInfo.filter(({ type }) => type === "renderer");
    return rounded(1024 * Math.max(...pages.map(({ id }) => residentKilobytes(id))));
  }
}

function residentKilobytes(id: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))![1]);
}

const rounded = (bytes: number): number => Math.round((bytes / MB) * 10) / 10;
