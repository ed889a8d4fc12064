/** What the worker does when it is asked to: the library, called with plain data. */
import { startEngine } from "../engine/default.ts";
import type { Checksum, Finding } from "../finding/finding.ts";
import { withProvenance } from "../finding/provenance.ts";
import { checksumOf } from "../lens/checksum.ts";
import type { GenerateOptions } from "../lens/generate.ts";
import { HookedTransformer } from "../lens/hooked-transformer.ts";
import { openModelFiles } from "../load/web-open.ts";
import type { GivenOptions } from "../measures/options.ts";
import { resolveListed } from "../models/families/resolve-listed.ts";
import { codeOf, commandLine } from "../options/written.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { analysisCalled } from "./analyses.ts";
import type { Described } from "./described.ts";
import { computeOn, expectOn, whyNoWebGpu } from "./devices.ts";
import type { ComputesOn, Effect, ModelChoice, ShownToken, TaskName, Tasks } from "./messages.ts";
import type { Opened } from "./opened-model.ts";
import { packed } from "./packed-finding.ts";
import { sha256 } from "./sha256.ts";

/** What a task runs with. */
export interface Running<K extends TaskName> {
  readonly signal: AbortSignal;
  /** Says how far it is. */
  readonly say: (event: Tasks[K]["event"]) => void;
}

type Handlers = {
  readonly [K in TaskName]: (ask: Tasks[K]["ask"], running: Running<K>) => Promise<Tasks[K]["answer"]>;
};

/** By the page's names for them: the model that it uses, and one that was loaded since. */
const opened = new Map<string, Opened>();

/** The model that the page uses now; it no longer uses any other. @throws ArgumentError if it is not there */
function used(by: string): Opened {
  const found = opened.get(by);
  if (!found) throw new ArgumentError("There is no model yet: wait until one is loaded, or choose another.");
  for (const other of opened.keys()) if (other !== by) opened.delete(other);
  return found;
}

export const HANDLERS: Handlers = {
  ...{ load, describe, tokens, analyse, effect, generate, whyNoWebGpu },
  stored: async () => (await import("../load/web-stored.ts")).storedModels(),
  deleteStored: async (model) => (await import("../load/web-stored.ts")).deleteStored(model),
};

/** Loads a model next to the one that is used, unless it is there and only the device is another. */
async function load({ device, first, ...choice }: ModelChoice, running: Running<"load">): Promise<ComputesOn> {
  if (opened.size === 0) await expectOn(device);
  // What is fetched next to the model's files; where it cannot be, its first use says so.
  void startEngine();
  void analysisCalled(first).catch(() => {});
  const { model } = opened.get(choice.name) ?? (await open(choice, running));
  return computeOn(device, model.cfg);
}

async function describe({ model: of }: Tasks["describe"]["ask"]): Promise<Described> {
  const { described } = await import("./described.ts");
  const found = opened.get(of);
  if (found) return described(found.model);
  throw new ArgumentError("This model is no longer there: choose it again.", { asked: of });
}

async function open(
  { name, files }: Pick<ModelChoice, "name" | "files">,
  { signal, say }: Running<"load">,
): Promise<Opened> {
  const chosen = files && (await (await import("../load/web-chosen.ts")).chosenFiles(files));
  const from = chosen ?? (await openModelFiles(name, { resolve: resolveListed }));
  const model = await HookedTransformer.fromPretrained(from.name, {
    signal,
    files: from,
    onProgress: ({ done, total, file }) => say({ done, total, unit: file, bytes: true }),
  });
  signal.throwIfAborted();
  const found = { name: chosen?.name ?? name, model, checksum: checksumOf(from, sha256) };
  opened.set(name, found);
  return found;
}

async function tokens({ model: of, prompt }: Tasks["tokens"]["ask"]): Promise<readonly ShownToken[]> {
  const { model } = used(of);
  if (prompt === "") return [];
  const ids = Array.from(model.toTokens(prompt, { truncate: false }).data, Number);
  const texts = model.text!.shownTokens(ids);
  return ids.map((id, i) => ({ text: texts[i], id, isBos: i === 0 && id === model.text!.bosTokenId }));
}

async function analyse(ask: Tasks["analyse"]["ask"], running: Running<"analyse">) {
  return packed(await found(ask, running));
}

async function found(ask: Tasks["analyse"]["ask"], { signal, say }: Running<"analyse">): Promise<Finding> {
  const { analysis, options, changes } = ask;
  const { name, model, checksum } = used(ask.model);
  const given = { ...options, signal, onProgress: say } as GivenOptions & { readonly signal: AbortSignal };
  if (changes.length > 0) {
    const { analyseChanged } = await import("./with-changes.ts");
    return analyseChanged({ name, model, checksum }, ask, given);
  }
  const { run } = await analysisCalled(analysis);
  return withOrigin(await run(model, given), { analysis, model: name, options }, await checksum);
}

/** A finding that says what makes it again. */
export function withOrigin(
  finding: Finding,
  of: { readonly analysis: string; readonly model: string; readonly options: Readonly<Record<string, unknown>> },
  checksum: Checksum | undefined,
): Finding {
  const command = commandLine(of.analysis, { model: of.model, ...of.options });
  return withProvenance(finding, { command, code: codeOf(of), checksum });
}

async function effect(
  { model, prompt, changes }: Tasks["effect"]["ask"],
  { signal }: Running<"effect">,
): Promise<Effect> {
  const of = used(model);
  const { effectOf } = await import("./with-changes.ts");
  return effectOf(of, prompt, changes, signal);
}

async function generate(ask: Tasks["generate"]["ask"], { signal, say }: Running<"generate">) {
  const { prompt, options, changes } = ask;
  const { model } = used(ask.model);
  const ids = Array.from(model.toTokens(prompt, { truncate: false }).data, Number);
  const before = model.text!.decode(ids, { skipSpecialTokens: true }).length;
  let text = "";
  const { interventionHooks } = await import("./with-changes.ts");
  const fwdHooks = await interventionHooks(model, prompt, changes, { signal });
  const how = { ...(options as GenerateOptions), fwdHooks, signal };
  for await (const { tokens } of model.generateStream([ids.slice()], how)) {
    ids.push(tokens[0]);
    text = model.text!.decode(ids, { skipSpecialTokens: true }).slice(before);
    say(text);
  }
  return text;
}
