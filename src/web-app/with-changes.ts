/** What the worker computes of a changed run. */
import { interventions } from "../analyses/interventions.ts";
import { type Finding, finding } from "../finding/finding.ts";
import { withProvenance } from "../finding/provenance.ts";
import { interventionCode } from "../measures/intervention-code.ts";
import type { GivenIntervention } from "../measures/interventions/options.ts";
import { interventionName } from "../measures/interventions/place.ts";
import { changedModel, settledIntervention } from "../measures/interventions.ts";
import type { GivenOptions } from "../measures/options.ts";
import { codeOf } from "../options/written.ts";
import { analysisCalled } from "./analyses.ts";
import type { Effect, Tasks } from "./messages.ts";
import type { Opened } from "./opened-model.ts";

export { interventionHooks } from "../measures/interventions.ts";

/** An analysis of the changed run. */
export async function analyseChanged(
  { name, model, checksum }: Opened,
  { analysis, options, changes }: Tasks["analyse"]["ask"],
  given: GivenOptions & { readonly signal: AbortSignal },
): Promise<Finding> {
  const prompt = String(options.prompt);
  const changed = await changedModel(model, prompt, changes, { signal: given.signal });
  const settled = changes.map((change) => settledIntervention(model, change));
  const code = codeOf({ analysis, model: name, options, changes: { prompt, of: settled } });
  const { run } = await analysisCalled(analysis);
  const found = await run(changed, given);
  return withProvenance(ofChangedRun(found, settled.map(interventionName)), { code, checksum: await checksum });
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

/** What changes do. */
export async function effectOf(
  { name, model, checksum }: Opened,
  prompt: string,
  changes: readonly GivenIntervention[],
  signal: AbortSignal,
): Promise<Effect> {
  const found = await interventions(model, prompt, changes, signal);
  const code = interventionCode(model, prompt, changes, { name });
  return { finding: withProvenance(found, { code: code.typescript, checksum: await checksum }), ...code };
}
