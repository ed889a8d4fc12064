/** Actual patching of the places that attribution patching estimates. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { getActName } from "../../models/act-name.ts";
import type { Runs } from "../contrast.ts";
import type { AnalysisContext } from "../options.ts";
import { stages } from "../stages.ts";
import { sweep } from "../sweep.ts";

/** What is patched, and where from. */
interface Source extends Pick<Runs, "corrupted" | "metric" | "read"> {
  /** A value of the clean run, which may still have to be computed. */
  readonly cleanAt: (name: string) => Tensor;
}

/** The metric with each place patched alone, for the sites that have at most `mostPatched` of them. */
export async function patchPlaces<Site extends string>(
  model: Model,
  { corrupted, metric, read, cleanAt }: Source,
  effects: ReadonlyMap<Site, Tensor>,
  { mostPatched, signal, onProgress }: AnalysisContext & { readonly mostPatched: number },
): Promise<ReadonlyMap<Site, Tensor>> {
  const sites = [...effects].filter(([, { data }]) => data.length <= mostPatched);
  const layers = Array.from({ length: model.cfg.nLayers }, (_, layer) => layer);
  const names = sites.flatMap(([site]) => layers.map((layer) => getActName(site, layer)));
  const values = names.length === 0 ? [] : await model.compute(names.map(cleanAt), { signal });
  const clean = new Map(names.map((name, i) => [name, values[i]]));
  const progress = stages(
    onProgress,
    sites.map(([, { data }]) => data.length),
    "places",
  );
  const patched = new Map<Site, Tensor>();
  for (const [i, [site, { axes: over }]] of sites.entries()) {
    const edit = (_: Tensor, { name }: { readonly name: string }) => clean.get(name)!;
    const options = { ...read, site, over, edit, metric, signal, onProgress: progress[i] };
    patched.set(site, (await sweep(model, corrupted, options)).values);
  }
  return patched;
}
