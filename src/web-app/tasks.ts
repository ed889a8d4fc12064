/** What the worker does when it is asked to: the library, called with plain data. */
import { analysisCalled } from "../analyses/index.ts";
import { interventions } from "../analyses/interventions.ts";
import { type Finding, finding } from "../finding/finding.ts";
import { withProvenance } from "../finding/provenance.ts";
import type { GenerateOptions } from "../lens/generate.ts";
import { HookedTransformer } from "../lens/hooked-transformer.ts";
import { chosenFiles } from "../load/web-chosen.ts";
import { deleteStored, storedModels } from "../load/web-stored.ts";
import { pythonOf, typescriptOf } from "../measures/interventions/code.ts";
import { interventionName } from "../measures/interventions/place.ts";
import { changedModel, interventionHooks, settledIntervention } from "../measures/interventions.ts";
import type { GivenOptions } from "../measures/options.ts";
import { codeOf, commandLine } from "../options/written.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { described } from "./described.ts";
import { computeOn, expectOn, whyNoWebGpu } from "./devices.ts";
import type { Effect, Loaded, ModelChoice, ShownToken, TaskName, Tasks } from "./messages.ts";

/** What a task runs with. */
export interface Running<K extends TaskName> {
  readonly signal: AbortSignal;
  /** Says how far it is. */
  readonly say: (event: Tasks[K]["event"]) => void;
}

type Handlers = {
  readonly [K in TaskName]: (ask: Tasks[K]["ask"], running: Running<K>) => Promise<Tasks[K]["answer"]>;
};

/** The model: what it was asked for by, what it is called in code, and the model itself. */
interface Current {
  readonly of: string;
  readonly name: string;
  readonly model: HookedTransformer;
}

let loaded: Current | undefined;

/** @throws ArgumentError before a model is there */
function current(): Current {
  if (loaded) return loaded;
  throw new ArgumentError("There is no model yet: wait until one is loaded, or choose another.");
}

export const HANDLERS: Handlers = {
  ...{ load, tokens, analyse, effect, generate, whyNoWebGpu },
  stored: () => storedModels(),
  deleteStored: (model) => deleteStored(model),
};

/** Loads a model, unless it is there and only the device is another. */
async function load({ device, ...choice }: ModelChoice, running: Running<"load">): Promise<Loaded> {
  await expectOn(device);
  if (loaded?.of !== choice.name) loaded = await opened(choice, running);
  const { model } = loaded;
  return { described: described(model), on: await computeOn(device, model.cfg) };
}

async function opened(
  { name, files }: Omit<ModelChoice, "device">,
  { signal, say }: Running<"load">,
): Promise<Current> {
  const chosen = files && (await chosenFiles(files));
  const model = await HookedTransformer.fromPretrained(chosen?.name ?? name, {
    signal,
    ...(chosen ? { files: chosen } : {}),
    onProgress: ({ done, total, file }) => say({ done, total, unit: file, bytes: true }),
  });
  return { of: name, name: chosen?.name ?? name, model };
}

async function tokens({ prompt }: Tasks["tokens"]["ask"]): Promise<readonly ShownToken[]> {
  const { model } = current();
  if (prompt === "") return [];
  const ids = Array.from(model.toTokens(prompt, { truncate: false }).data, Number);
  const texts = model.text!.shownTokens(ids);
  return ids.map((id, i) => ({ text: texts[i], id, isBos: i === 0 && id === model.text!.bosTokenId }));
}

async function analyse({ analysis, options, changes }: Tasks["analyse"]["ask"], { signal, say }: Running<"analyse">) {
  const { name, model } = current();
  const given = { ...options, signal, onProgress: say } as GivenOptions;
  const of = { analysis, model: name, options };
  const { run } = analysisCalled(analysis);
  if (changes.length === 0) return withOrigin(await run(model, given), of);
  const prompt = String(options.prompt);
  const changed = await changedModel(model, prompt, changes, { signal });
  const settled = changes.map((change) => settledIntervention(model, change));
  const code = codeOf({ ...of, changes: { prompt, of: settled } });
  return withProvenance(ofChangedRun(await run(changed, given), settled.map(interventionName)), { code });
}

/** A finding that says what its run was changed by. */
function ofChangedRun(of: Finding, names: readonly string[]): Finding {
  const changes = names.join("; ");
  return finding({
    ...of,
    settings: { ...of.settings, "changes of the run": changes },
    caveats: [`All numbers are of a run with changes: ${changes}.`, ...of.caveats],
  });
}

/** A finding that says what makes it again. */
export function withOrigin(
  finding: Finding,
  of: { readonly analysis: string; readonly model: string; readonly options: Readonly<Record<string, unknown>> },
  date?: Date,
): Finding {
  const command = commandLine(of.analysis, { model: of.model, ...of.options });
  return withProvenance(finding, { command, code: codeOf(of), date });
}

async function effect({ prompt, changes }: Tasks["effect"]["ask"], { signal }: Running<"effect">): Promise<Effect> {
  const { name, model } = current();
  const finding = await interventions(model, prompt, changes, signal);
  const of = { model: name, prompt, changes: changes.map((change) => settledIntervention(model, change)) };
  const typescript = typescriptOf(of);
  return { finding: withProvenance(finding, { code: typescript }), typescript, python: pythonOf(of) };
}

async function generate({ prompt, options, changes }: Tasks["generate"]["ask"], { signal, say }: Running<"generate">) {
  const { model } = current();
  const ids = Array.from(model.toTokens(prompt, { truncate: false }).data, Number);
  const before = model.text!.decode(ids, { skipSpecialTokens: true }).length;
  let text = "";
  const fwdHooks = await interventionHooks(model, prompt, changes, { signal });
  const how = { ...(options as GenerateOptions), fwdHooks, signal };
  for await (const { tokens } of model.generateStream([ids.slice()], how)) {
    ids.push(tokens[0]);
    text = model.text!.decode(ids, { skipSpecialTokens: true }).slice(before);
    say(text);
  }
  return text;
}
