/** What is said of onnxruntime-web's files, which a page counts before it has them. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runtimeFolder } from "../../src/cli/web-folders.ts";
import { RUNTIME_FILES } from "../../src/engine/ort-web-runtime.ts";

test("each build's file has the size that it is counted with", () => {
  for (const { file, bytes } of Object.values(RUNTIME_FILES)) {
    const found = statSync(join(runtimeFolder().path, file), { throwIfNoEntry: false })?.size;
    expect([file, found]).toEqual([file, bytes]);
  }
});
