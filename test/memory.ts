/** A machine with as much free memory as a test wants. */
import { afterEach } from "vitest";
import { type MemoryReader, platform, usePlatform } from "../src/platform.ts";
import "../src/node.ts";

const node = platform();
afterEach(() => usePlatform(node));

/** Until the test is over, the platform's memory is this. */
export function setMemory(memory: MemoryReader | undefined): void {
  usePlatform({ ...node, memory });
}
