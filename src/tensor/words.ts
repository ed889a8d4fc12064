/** Numbers, lists and quotations in sentences: one way of writing each. */
import { shortened } from "./show.ts";
import { markUnseen } from "./visible.ts";

/** A share in percent, with one decimal, or two significant digits below 1 %: 0.253 is "25.3 %", 0.00042 "0.042 %". */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value === 0 || Math.abs(value) >= 1 ? value.toFixed(1) : Number(value.toPrecision(2))} %`;
}

/** A number with its sign and three significant digits: "+1.23", "−0.5". Below 0.00001 it is "0", as float32 rounds. */
export function signed(x: number): string {
  const digits = Math.abs(x) < 1e-5 ? "0" : Number(Math.abs(x).toPrecision(3)).toString();
  return digits === "0" ? "0" : `${x < 0 ? "−" : "+"}${digits}`;
}

/** A number with this many decimals: "0.50", "−0.48". */
export function fixed(x: number, decimals: number): string {
  return x
    .toFixed(decimals)
    .replace(/^-(?=0\.?0*$)/, "")
    .replace("-", "−");
}

/** "a, b and c", or with another word before the last: "a, b or c". */
export function listed(items: readonly string[], last = "and"): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

/** As many of the names as a sentence can hold, each cut to `longest` characters: "a, b and 3 more". */
export function firstOf(names: readonly string[], most = 12, longest = 120): string {
  const first = names.slice(0, most).map((name) => shortened(name, longest));
  return names.length > most ? `${first.join(", ")} and ${names.length - most} more` : first.join(", ");
}

/** "1 row", "1,200 rows". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** A token in a sentence: in quotes, with every invisible character except spaces made visible. */
export function quoted(token: string): string {
  return `“${markUnseen(token)}”`;
}

/** `a Llama`, `an OLMo`. */
export function withArticle(name: string): string {
  return `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`;
}
