/** What the page shows before its worker is there: the finding of the start, made by the library when the page is built. */
import { analysisCalled } from "../analyses/index.ts";
import type { Finding } from "../finding/finding.ts";
import { checksumOf } from "../lens/checksum.ts";
import { HookedTransformer } from "../lens/hooked-transformer.ts";
import { resolveModelName } from "../models/families/index.ts";
import { platform } from "../platform.ts";
import { type Described, described } from "./described.ts";
import { sha256 } from "./sha256.ts";
import { START } from "./state.ts";
import { withOrigin } from "./tasks.ts";

export interface FirstPaint {
  readonly described: Described;
  readonly finding: Finding;
}

/** Needs a platform: import `node.ts` or `web.ts` first. */
export async function firstPaint(): Promise<FirstPaint> {
  const files = await platform().open!(START.model, resolveModelName, {});
  const model = await HookedTransformer.fromPretrained(START.model, { files });
  const options = { prompt: START.prompt };
  const finding = await analysisCalled(START.analysis).run(model, options);
  const of = { analysis: START.analysis, model: START.model, options };
  return { described: described(model), finding: withOrigin(finding, of, await checksumOf(files, sha256)) };
}
