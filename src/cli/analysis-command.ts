/** An analysis as a command: its options, running it, and where its finding goes. */
import { join } from "node:path";
import type { Analysis } from "../analyses/analysis.ts";
import type { Finding } from "../finding/finding.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { AnalysisContext, GivenOptions } from "../measures/options.ts";
import type { OptionRecord, OptionRecords } from "../options/records.ts";
import type { Settled } from "../options/settle.ts";
import { type CommandContext, type CommandRecord, command } from "./command.ts";
import { exampleArguments } from "./examples.ts";
import { MODEL_OPTION, OPENING_OPTIONS, openedWith } from "./model-options.ts";
import type { Origin } from "./origin.ts";
import { outputFiles } from "./output-files.ts";
import { bytes, ProgressBar } from "./progress-bar.ts";
import { briefOptions, tell, textOptions } from "./terminal.ts";
import { writeReports } from "./write-reports.ts";

const CHAT = {
  chat: { type: "flag", description: "put each prompt into the model's chat template, as a user's message" },
} as const satisfies OptionRecords;

const OUTPUT = {
  out: {
    type: "paths",
    description:
      "files to write the report to: .html, .json, .csv (the main table), .svg, .png or .txt; or a folder, figs/, for every picture and table on its own",
  },
  full: { type: "flag", description: "print all tables, comparisons and caveats" },
  json: {
    type: "flag",
    description: "print the finding as JSON instead of as text",
    only: [{ option: "full", is: [false] }],
  },
} as const satisfies OptionRecords;

/** The options of every analysis' command. */
const COMMON = { model: MODEL_OPTION, ...CHAT, ...OPENING_OPTIONS, ...OUTPUT } as const satisfies OptionRecords;

type CommonValues = Settled<typeof COMMON>;

const isPrompt = ({ type }: OptionRecord): boolean => type === "prompts" || type === "prompt";

/** How to see what the terminal does not show. */
const REST = "--full prints them, and --out report.html draws them.";

/** @param group the heading above it in the list of commands */
export function analysisCommand(analysis: Analysis, group: string): CommandRecord {
  const entries = Object.entries(analysis.options);
  const prompted = analysis.options.prompt?.type === "prompt";
  return command({
    name: analysis.name,
    group,
    summary: analysis.question,
    description: `${analysis.question}\n\n${analysis.description}`,
    ...(prompted
      ? { argument: { name: "text", description: "the same as --prompt", option: "prompt", is: "text" } as const }
      : {}),
    options: {
      model: { ...MODEL_OPTION, ...(analysis.model ? { default: analysis.model } : {}) },
      ...Object.fromEntries(entries.filter(([, option]) => !option.inCode)),
      ...(entries.some(([, option]) => isPrompt(option)) ? CHAT : {}),
      ...OPENING_OPTIONS,
      ...OUTPUT,
    } as OptionRecords,
    examples: [[analysis.name, ...exampleArguments(analysis.example), "--out report.html"].join(" ")],
    run: (values, context) => run(analysis, values as unknown as CommonValues, context),
  });
}

/** Files that no report may overwrite: those that options name, and the model's own. */
function filesRead(analysis: Analysis, values: CommonValues): string[] {
  const named = Object.entries(analysis.options).filter(([, { type }]) => type === "file" || type === "prompts");
  const own = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"];
  const path = (name: string) => (values as Readonly<Record<string, unknown>>)[name];
  return [
    ...named.flatMap(([name]) => (typeof path(name) === "string" ? [path(name) as string] : [])),
    ...own.map((file) => join(values.model, file)),
    ...(values.adapter === undefined ? [] : [join(values.adapter, "adapter_config.json")]),
  ];
}

/** Each prompt as the beginning of an answer to it. */
function asChats(model: HookedTransformer, analysis: Analysis, values: GivenOptions): GivenOptions {
  const chat = (content: string) => model.toChat([{ role: "user", content }], { addGenerationPrompt: true }).text;
  const prompts = Object.entries(analysis.options).flatMap(([name, option]) => {
    if (option.type !== "prompt" && option.type !== "prompts") return [];
    const value = (values as Readonly<Record<string, unknown>>)[name] ?? option.default;
    if (value === undefined) return [];
    return [[name, Array.isArray(value) ? value.map(chat) : chat(`${value}`)]];
  });
  return { ...values, ...Object.fromEntries(prompts) };
}

/** @param given what was typed, read @param options the analysis' own, as it runs with them */
function originOf(analysis: Analysis, values: CommonValues, given: object, options: object): Origin {
  const { model, adapter, dtype, device, chat } = values;
  const typed = Object.entries(values).filter(([name]) => name === "model" || name in given);
  const opening = { adapter, dtype, device, ...(chat ? { defaultPrependBos: false } : {}) };
  return { analysis: analysis.name, model, typed: Object.fromEntries(typed), options, opening };
}

async function fromOrigin(found: Finding, origin: Origin): Promise<Finding> {
  const [{ withProvenance }, { provenanceOf }] = await Promise.all([import("../node.ts"), import("./origin.ts")]);
  return withProvenance(found, await provenanceOf(origin));
}

async function run(analysis: Analysis, values: CommonValues, { terminal, read }: CommandContext): Promise<void> {
  const { stdout, stderr } = terminal;
  const { model: name, json, full, chat } = values;
  const files = await outputFiles(values.out ?? [], "--out", undefined, filesRead(analysis, values));
  const given = await read();
  const own = Object.fromEntries(Object.entries(given).filter(([option]) => option in analysis.options));
  const [{ HookedTransformer }, report] = await Promise.all([import("../node.ts"), import("../report/index.ts")]);
  const bar = new ProgressBar(stderr);
  try {
    const model = await HookedTransformer.fromPretrained(name, {
      ...(await openedWith(values)),
      // The template decides about BOS.
      ...(chat ? { defaultPrependBos: false } : {}),
      onProgress: ({ file, done, total }) => bar.update(file, done, total, bytes),
    });
    const onProgress: AnalysisContext["onProgress"] = ({ done, total, unit }) => bar.update(unit, done, total);
    const options = chat ? asChats(model, analysis, own) : own;
    const found = await analysis.run(model, { ...options, onProgress } as GivenOptions);
    // A brief text does not say where it comes from, so the model's files are not read again for it.
    const shown = files.length > 0 || json || full;
    const finding = shown ? await fromOrigin(found, originOf(analysis, values, given, options)) : found;
    bar.clear();
    await writeReports(finding, files, "--out", (line) => tell(stderr, line));
    // Last, because the reader of the pipe may stop reading.
    const drawn = files.find(({ format }) => format === "html");
    const text = full ? textOptions(terminal) : briefOptions(terminal, drawn ? `They are in ${drawn.path}.` : REST);
    stdout.write((await report.render(finding, json ? "json" : "text", { text })) as string);
  } finally {
    bar.clear();
  }
}
