/** Completion in real shells: bash everywhere, zsh and fish where they are installed. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { runCommand } from "../../src/cli/program.ts";
import { MODEL_ALIASES } from "../../src/node.ts";

const has = (shell: string) => spawnSync(shell, ["-c", ":"]).status === 0;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "glassformer-completion-"));
  writeFileSync(join(folder, "essay.txt"), "");
  mkdirSync(join(folder, "my-model"));
  for (const shell of ["bash", "zsh", "fish"]) {
    let script = "";
    const output = { write: (text: string) => (script += text) };
    await runCommand(["completion", shell], { stdout: output, stderr: output });
    writeFileSync(join(folder, `glassformer.${shell}`), script);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
const run = (shell: string, script: string, args: readonly string[] = []) =>
  execFileSync(shell, ["-c", script, shell, ...args], { cwd: folder, encoding: "utf8" });

/** What a shell offers for the last of some words. */
const OFFERS: readonly (readonly [shell: string, offers: (...words: string[]) => string[]])[] = [
  [
    "bash",
    (...words) => {
      const script = `source glassformer.bash; COMP_WORDS=(glassformer "$@"); COMP_CWORD=$#; _glassformer 2>/dev/null; printf "%s\\n" "\${COMPREPLY[@]}"`;
      const found = lines(run("bash", script, words));
      // An empty answer makes readline complete files, as compgen does.
      const isFile = found.length === 0 && !TEXTS.includes(words.at(-2)!);
      return isFile ? lines(run("bash", 'compgen -f -- "$1" || :', [words.at(-1)!])) : found;
    },
  ],
  [
    "fish",
    (...words) =>
      lines(run("fish", `source glassformer.fish; complete -C "glassformer ${words.join(" ")}"`)).map(
        (line) => line.split("\t")[0],
      ),
  ],
];
const TEXTS = ["--prompt"];

describe.each(OFFERS)("completion in %s", (shell, offers) => {
  const maybe = it.skipIf(!has(shell));

  maybe("offers the commands", () => {
    expect(offers("")).toEqual(expect.arrayContaining([...COMMANDS.map(({ name }) => name), "help"]));
    expect(offers("mod")).toEqual(["models"]);
  });

  maybe("offers the options of the command, and those of every command", () => {
    expect(offers("tokens", "--").toSorted()).toEqual(
      ["--help", "--json", "--model", "--no-color", "--prompt", "--quiet"].toSorted(),
    );
    expect(offers("generate", "--max")).toEqual(["--max-new-tokens"]);
  });

  maybe("offers the options that can stand before the command, and the commands after them", () => {
    expect(offers("--").toSorted()).toEqual(["--help", "--no-color", "--quiet", "--version"]);
    expect(offers("--quiet", "mod")).toEqual(["models"]);
    expect(offers("--quiet", "--no-color", "tokens", "--js")).toEqual(["--json"]);
    expect(offers("--quiet", "completion", "z")).toEqual(["zsh"]);
  });

  maybe("offers the choices of an option, and goes on after them", () => {
    expect(offers("ablation", "--over", "").toSorted()).toEqual(["heads", "layers", "neurons", "positions"]);
    expect(offers("ablation", "--over", "ne")).toEqual(["neurons"]);
    expect(offers("ablation", "--over", "neurons", "--se")).toEqual(["--seed"]);
  });

  maybe("offers the names of models", () => {
    expect(offers("logit-lens", "--model", "solu-1l-no")).toEqual(["solu-1l-novels"]);
    const names = [...MODEL_ALIASES.keys()].filter((name) => name.startsWith("EleutherAI/pythia-70m"));
    expect(offers("tokens", "--model", "EleutherAI/pythia-70m").toSorted()).toEqual(names.toSorted());
    expect(names.length).toBeGreaterThan(1);
  });

  maybe("offers files where a file is read or written, and the commands after help", () => {
    expect(offers("train", "ess")).toEqual(["essay.txt"]);
    expect(offers("diffuse-mlp", "--prompts", "ess")).toEqual(["essay.txt"]);
    expect(offers("train", "--task", "m")).toEqual(["modular-addition"]);
    expect(offers("help", "tok")).toEqual(["tokens"]);
    expect(offers("completion", "z")).toEqual(["zsh"]);
  });
});

describe.skipIf(!has("zsh"))("completion in zsh", () => {
  /** Whether a terminal adds the rest of a line after some text and Tab. Without it, zpty waits, and the test fails at its limit. */
  function adds(text: string, rest: string): boolean {
    const script = `
      zmodload zsh/zpty
      zpty z "TERM=dumb zsh -f -i"
      zpty -w z "PROMPT=; autoload -U compinit; compinit -u -d ${folder}/zcompdump; source glassformer.zsh; echo REA''DY"
      zpty -r z line '*READY*'
      zpty -w -n z ${JSON.stringify(text)}$'\\t'
      zpty -r z line ${JSON.stringify(`*${rest} *`)} && echo added
      zpty -d z
    `;
    return execFileSync("zsh", ["-c", script], { cwd: folder, encoding: "utf8", timeout: 20_000 }) === "added\n";
  }

  it.each([
    ["glassformer mod", "els"],
    ["glassformer --qui", "et"],
    ["glassformer --quiet mod", "els"],
    ["glassformer --quiet generate --max", "-new-tokens"],
    ["glassformer generate --max", "-new-tokens"],
    ["glassformer ablation --over ne", "urons"],
    ["glassformer train ess", "ay.txt"],
    ["glassformer tokens --model solu-1l-no", "vels"],
  ])("adds to %s", (text, rest) => expect(adds(text, rest)).toBe(true));
});
