/** What a text was cut into on its way to tokens. */

/** Tokens that were made together from one stretch of the text: an added token, or what the model made of the rest. */
export interface Stretch {
  readonly ids: readonly number[];
  /** An added token stands for its whole stretch. */
  readonly added: boolean;
  /** The section of the text that was normalized as one: where it starts in the text, before and after normalizing. */
  readonly section: { readonly start: number; readonly given: string; readonly normalized: string };
  /** The stretch within `section.normalized`, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
}
