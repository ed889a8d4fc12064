/** An analysis as a command: its options, running it, and where its finding goes. */
import { join } from "node:path";
import { Command, Option } from "commander";
import type { Analysis } from "../analyses/analysis.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type {
  AnalysisContext,
  AnalysisOption,
  GivenOptions,
  PromptOption,
  PromptsOption,
} from "../measures/options.ts";
import { finiteNumber, wholeNumber, wholeNumbers } from "./arguments.ts";
import { examples } from "./examples.ts";
import { readPrompts, readText } from "./input-files.ts";
import { memoryOption } from "./memory-option.ts";
import { adapterOption, deviceOption, dtypeOption, type ModelFlags, openedWith } from "./model-options.ts";
import { type OutputFile, outputFiles } from "./output-files.ts";
import { bytes, ProgressBar } from "./progress-bar.ts";
import { briefOptions, type Terminal, tell, textOptions } from "./terminal.ts";
import { writeReports } from "./write-reports.ts";

interface CommonOptions extends ModelFlags {
  readonly model: string;
  readonly out?: readonly string[];
  readonly json?: boolean;
  readonly full?: boolean;
  readonly chat?: boolean;
}

/** Whether an option is a prompt, or several. */
function isPrompt(option: AnalysisOption): option is PromptOption | PromptsOption {
  return option.type === "prompts" || option.type === "prompt";
}

const BUNDLED = "solu-1l-novels";

/** How to see what the terminal does not show. */
const REST = "--full prints them, and --out report.html draws them.";

export function analysisCommand(analysis: Analysis, terminal: Terminal): Command {
  const command = new Command(analysis.name)
    .summary(analysis.question)
    .description(`${analysis.question}\n\n${analysis.description}`)
    .option("--model <model>", "a folder, a Hugging Face id or its short name", BUNDLED);
  for (const [name, option] of Object.entries(analysis.options)) {
    if (!option.inCode) command.addOption(commanderOption(name, option));
  }
  if (Object.entries(analysis.options).some(([, option]) => isPrompt(option))) {
    command.option("--chat", "put each prompt into the model's chat template, as a user's message");
  }
  return command
    .addOption(adapterOption())
    .addOption(dtypeOption())
    .addOption(deviceOption())
    .addOption(memoryOption())
    .option(
      "--out <file...>",
      "files to write the report to: .html, .json, .csv (the main table), .svg, .png or .txt; or a folder, figs/, for every picture and table on its own",
    )
    .option("--full", "print all tables, comparisons and caveats")
    .addOption(new Option("--json", "print the finding as JSON instead of as text").conflicts("full"))
    .addHelpText("after", examples(`${analysis.name} ${analysis.example}`))
    .action(async (given: CommonOptions & Record<string, unknown>) => {
      const files = await outputFiles(given.out ?? [], "--out", undefined, filesRead(analysis, given));
      await run(analysis, await optionValues(analysis, given), given, files, terminal);
    });
}

/** Files that no report may overwrite: those that options name, and the model's own. */
function filesRead(analysis: Analysis, given: CommonOptions & Record<string, unknown>): string[] {
  const named = Object.entries(analysis.options).filter(([, { type }]) => type === "file" || type === "prompts");
  const own = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"];
  return [
    ...named.flatMap(([name]) => (given[name] === undefined ? [] : [`${given[name]}`])),
    ...own.map((file) => join(given.model, file)),
    ...(given.adapter === undefined ? [] : [join(given.adapter, "adapter_config.json")]),
  ];
}

function commanderOption(name: string, option: AnalysisOption): Option {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  switch (option.type) {
    case "flag":
      return new Option(flag, option.description);
    case "prompts":
      return withDefault(
        new Option(`${flag} <file>`, `${option.description}: .txt, one per line; .json; .jsonl; "-" for stdin`),
        option,
      );
    case "file":
      return withDefault(new Option(`${flag} <file>`, `${option.description}; "-" for stdin`), option);
    case "choice":
      return withDefault(new Option(`${flag} <which>`, option.description).choices(option.choices), option);
    case "prompt":
    case "answer":
    case "text":
      return withDefault(new Option(`${flag} <${option.placeholder ?? "text"}>`, option.description), option);
    case "texts":
      return withDefault(new Option(`${flag} <${option.placeholder ?? "text"}...>`, option.description), option);
    case "number":
      return withDefault(
        new Option(`${flag} <${option.placeholder ?? "x"}>`, option.description).argParser(finiteNumber),
        option,
      );
    case "integer":
    case "layer":
    case "head":
      return withDefault(
        new Option(`${flag} <${option.placeholder ?? "n"}>`, option.description).argParser(wholeNumber),
        option,
      );
    case "layers":
    case "heads":
      return withDefault(
        new Option(`${flag} <${option.placeholder ?? "n"}...>`, option.description).argParser(wholeNumbers),
        option,
      );
  }
}

/** Only adds the default to the description: the analysis fills it in. */
function withDefault(
  flag: Option,
  option: { readonly default?: unknown; readonly defaultText?: string | undefined },
): Option {
  const defaults = Array.isArray(option.default) ? option.default : [option.default];
  const written = option.default === undefined ? undefined : defaults.map((value) => JSON.stringify(value)).join(" ");
  const defaultText = option.defaultText ?? written;
  if (defaultText !== undefined) flag.description += ` (default: ${defaultText})`;
  return flag;
}

async function optionValues(analysis: Analysis, given: Record<string, unknown>): Promise<GivenOptions> {
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(analysis.options)) {
    const value = given[name];
    if (value === undefined) continue;
    if (option.type === "prompts") values[name] = await readPrompts(`${value}`);
    else values[name] = option.type === "file" ? await readText(`${value}`) : value;
  }
  return values as GivenOptions;
}

/** Each prompt as the beginning of an answer to it. */
function asChats(model: HookedTransformer, analysis: Analysis, values: GivenOptions): GivenOptions {
  const chat = (content: string) => model.toChat([{ role: "user", content }], { addGenerationPrompt: true }).text;
  const prompts = Object.entries(analysis.options).flatMap(([name, option]) => {
    if (!isPrompt(option)) return [];
    const value = (values as Readonly<Record<string, unknown>>)[name] ?? option.default;
    if (value === undefined) return [];
    return [[name, Array.isArray(value) ? value.map(chat) : chat(`${value}`)]];
  });
  return { ...values, ...Object.fromEntries(prompts) };
}

async function run(
  analysis: Analysis,
  values: GivenOptions,
  { model: name, json, full, chat, ...flags }: CommonOptions,
  files: readonly OutputFile[],
  { stdout, stderr }: Terminal,
): Promise<void> {
  const [{ HookedTransformer }, report] = await Promise.all([import("../node.ts"), import("../report/index.ts")]);
  const bar = new ProgressBar(stderr);
  try {
    const model = await HookedTransformer.fromPretrained(name, {
      ...(await openedWith(flags)),
      // The template decides about BOS.
      ...(chat ? { defaultPrependBos: false } : {}),
      onProgress: ({ file, loaded, total }) => bar.update(file, loaded, total, bytes),
    });
    const onProgress: AnalysisContext["onProgress"] = ({ done, total }) =>
      bar.update(analysis.counts ?? "steps", done, total);
    const asked = { ...(chat ? asChats(model, analysis, values) : values), onProgress } as GivenOptions;
    const running = analysis.run(model, asked);
    // The chart library loads while the model runs.
    if (files.some(({ format }) => ["html", "svg", "png"].includes(format)))
      await Promise.all([report.loadCharts(), running]);
    const finding = await running;
    bar.clear();
    await writeReports(finding, files, (line) => tell(stderr, line));
    // Last, because the reader of the pipe may stop reading.
    const drawn = files.find(({ format }) => format === "html");
    const text = full ? textOptions(stdout) : briefOptions(stdout, drawn ? `They are in ${drawn.path}.` : REST);
    stdout.write(await report.render(finding, json ? "json" : "text", { text }));
  } finally {
    bar.clear();
  }
}
