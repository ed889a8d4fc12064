/** Runs a chat template, as transformers sets Jinja up: what it may call, and what it may not. */
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { FileFormatError, InputError } from "../tensor/errors.ts";
import { shortened, shown } from "../tensor/show.ts";

/** The longest template: published ones have up to some tens of thousands of characters. */
const LONGEST_TEMPLATE = 1_000_000;
/** The most numbers that a template may count to: it comes from a file, and must not fill the memory. */
const LONGEST_RANGE = 100_000;

/**
 * The text that a template makes of variables.
 * @throws FileFormatError for one that cannot be read, or that fails; InputError if it calls `raise_exception`
 */
export function rendered(template: string, variables: Readonly<Record<string, unknown>>): string {
  const program = parsed(template);
  const environment = new Environment();
  const all = {
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    ...{ range, raise_exception: refuse, strftime_now: (format: string) => strftime(new Date(), format) },
    ...variables,
  };
  try {
    for (const [name, value] of Object.entries(all)) if (value !== undefined) environment.set(name, value);
    const result = new Interpreter(environment).run(program);
    return String(result.value);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new FileFormatError(
      `The chat template failed on these messages (${reasonOf(cause, "a value that it needs is missing")}): pass another as \`template\`, or write the prompt as a text.`,
      { asked: variables.messages, cause },
    );
  }
}

function parsed(template: string): ReturnType<typeof parse> {
  if (template.length > LONGEST_TEMPLATE) {
    throw new FileFormatError(
      `The chat template has ${template.length} characters, but at most ${LONGEST_TEMPLATE} are read.`,
      { asked: template.length, found: LONGEST_TEMPLATE },
    );
  }
  try {
    return parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
  } catch (cause) {
    throw new FileFormatError(
      `The chat template cannot be read (${reasonOf(cause, "it ends inside a tag, or is not Jinja")}): correct it, or pass another as \`template\`.`,
      { asked: shortened(template), cause },
    );
  }
}

/** A template's `raise_exception`. */
function refuse(message: unknown): never {
  const text = shown(typeof message === "string" ? message : `${message}`, 300);
  throw new InputError(`The chat template refuses these messages: ${text}.`, { asked: message });
}

/** Python's `range`. */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!(step !== 0 && count <= LONGEST_RANGE)) throw new Error(`range(${from}, ${to}, ${step}) is too long`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Python's `strftime`, in English; codes that are not known stay as they are. */
export function strftime(date: Date, format: string): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const month = MONTHS[date.getMonth()];
  const day = DAYS[date.getDay()];
  const codes: Readonly<Record<string, string>> = {
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: two(date.getHours()),
    I: two(date.getHours() % 12 || 12),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    p: date.getHours() < 12 ? "AM" : "PM",
    "%": "%",
  };
  return format.replace(/%(.)/g, (whole, code: string) => (Object.hasOwn(codes, code) ? codes[code] : whole));
}

/** What the Jinja library says, without its full stop and line breaks; `otherwise` for JavaScript's own errors inside it. */
function reasonOf(cause: unknown, otherwise: string): string {
  const message = cause instanceof Error ? cause.message : `${cause}`;
  if (cause instanceof TypeError || cause instanceof RangeError || message.includes("[object ")) return otherwise;
  return shortened(shown(message.replace(/\s+/g, " ").trim().replace(/\.$/, ""), 200).slice(1, -1), 200);
}
