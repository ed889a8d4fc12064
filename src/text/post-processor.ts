/** What a `tokenizer.json` puts around every text: BOS before it, EOS after it, or nothing. */
import { FileFormatError } from "../tensor/errors.ts";
import { built, Component, isFields } from "./component.ts";

/** The ids that go before and after the tokens of a text. */
export interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export const NO_FRAME: Frame = { before: [], after: [] };

export const POST_PROCESSORS: Readonly<Record<string, (component: Component) => Frame>> = {
  BertProcessing: aroundText,
  // It only changes offsets.
  ByteLevel: (component) => {
    component.flag("add_prefix_space");
    component.flag("trim_offsets");
    component.flag("use_regex", true);
    return NO_FRAME;
  },
  RobertaProcessing: (component) => {
    component.flag("trim_offsets");
    component.flag("add_prefix_space");
    return aroundText(component);
  },
  Sequence: sequence,
  TemplateProcessing: template,
};

const make = (component: Component): Frame => built(component, POST_PROCESSORS, "post_processor");

/**
 * The frame that a `post_processor` describes. Ids are the file's own, as in Hugging Face's library.
 * @throws FileFormatError for a post-processor that is not one of Hugging Face's, or is garbled.
 */
export function frameOf(json: unknown): Frame {
  return json === null || json === undefined ? NO_FRAME : make(new Component(json, "post_processor"));
}

function aroundText(component: Component): Frame {
  const sep = pairId(component, "sep");
  return { before: [pairId(component, "cls")], after: [sep] };
}

/** `["[CLS]", 101]` */
function pairId(component: Component, name: string): number {
  const pair = component.list(name);
  if (pair.length !== 2 || typeof pair[0] !== "string") throw component.refused(name, pair, "a token with its id");
  return component.asId(`${name}[1]`, pair[1]);
}

function sequence(component: Component): Frame {
  const frames = component.components("processors").map(make);
  const framing = frames.filter(({ before, after }) => before.length + after.length > 0);
  if (framing.length > 1) {
    throw new FileFormatError(
      `"${component.path}" of the tokenizer.json puts tokens around the text ${framing.length} times, which Hugging Face's library does in a peculiar way that is not supported. Keep only one of its processors.`,
      { asked: component.path, found: framing.length },
    );
  }
  return framing[0] ?? NO_FRAME;
}

/** `single` is a list such as `[{SpecialToken: {id: "<s>"}}, {Sequence: {id: "A"}}]`; the ids are in `special_tokens`. */
function template(component: Component): Frame {
  const special = component.object("special_tokens");
  const before: number[] = [];
  const after: number[] = [];
  let texts = 0;
  const single = component.list("single");
  single.forEach((item, i) => {
    const refused = () =>
      component.refused(`single[${i}]`, item, "a SpecialToken of special_tokens, or the Sequence A");
    if (!isFields(item) || Object.keys(item).length !== 1) throw refused();
    if (isFields(item.Sequence) && item.Sequence.id === "A") texts++;
    else if (isFields(item.SpecialToken) && typeof item.SpecialToken.id === "string") {
      const { id } = item.SpecialToken;
      const entry = Object.hasOwn(special, id) ? special[id] : undefined;
      if (!isFields(entry) || !Array.isArray(entry.ids)) throw refused();
      (texts > 0 ? after : before).push(...entry.ids.map((one) => component.asId(`special_tokens[${id}].ids`, one)));
    } else throw refused();
  });
  if (texts !== 1) throw component.refused("single", single, "a list with the text (Sequence A) once");
  component.list("pair");
  return { before, after };
}
