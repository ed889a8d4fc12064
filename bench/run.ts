/** `npm run bench -- NAME [--json]`: medians of alternating runs, and ratios to the best alternative, measured in the same run. */
import "../src/node.ts";
import { GlassformerError, UnknownNameError } from "../src/tensor/errors.ts";
import { attribution } from "./attribution.ts";
import { cli } from "./cli.ts";
import { devices } from "./devices.ts";
import { dictionaries } from "./dictionaries.ts";
import { families } from "./families.ts";
import { forward } from "./forward.ts";
import { generate } from "./generate.ts";
import { growth } from "./growth.ts";
import { lens } from "./lens.ts";
import { page } from "./page.ts";
import { paths } from "./paths.ts";
import { products } from "./products.ts";
import { scan } from "./scan.ts";
import { seed } from "./seed.ts";
import { svd } from "./svd.ts";
import { sweep } from "./sweep.ts";
import { train } from "./train.ts";
import { visits } from "./visits.ts";

const benches: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  seed,
  forward,
  cli,
  sweep,
  paths,
  products,
  attribution,
  lens,
  generate,
  families,
  train,
  dictionaries,
  scan,
  svd,
  growth,
  page,
  visits,
  devices,
};

async function main(args: readonly string[]): Promise<void> {
  const json = args.includes("--json");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.find((name) => !(name in benches));
  if (unknown) throw new UnknownNameError("benchmark", unknown, Object.keys(benches));
  for (const name of names.length > 0 ? names : Object.keys(benches)) {
    const result = await benches[name]();
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${name}\n${JSON.stringify(result, null, 2)}\n`);
  }
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error instanceof GlassformerError ? error.message : error.stack}\n`);
  process.exitCode = error instanceof GlassformerError ? 2 : 1;
});
