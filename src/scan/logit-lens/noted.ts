/** Tokens that the scan of the logit lens lists: where they are, and what the lens reads there at one stream and at the end. */
import { PLACE_WIDTH } from "../context.ts";

/** How many whole numbers stand with such a token. */
export const NOTED_WIDTH = PLACE_WIDTH + 3;

/** The log probability of the next token at a stream, and at the end. */
export interface Noted {
  readonly stream: number;
  readonly there: number;
  readonly atEnd: number;
}

const float = new Float32Array(2);
const bits = new Int32Array(float.buffer);

/** A token as whole numbers. */
export function notedNumbers(place: Int32Array, { stream, there, atEnd }: Noted): Int32Array {
  const numbers = new Int32Array(NOTED_WIDTH);
  numbers.set(place);
  float.set([there, atEnd]);
  numbers.set([stream, bits[0], bits[1]], PLACE_WIDTH);
  return numbers;
}

/** What `notedNumbers` was given. */
export function notedOf(numbers: Int32Array): Noted {
  const [stream, there, atEnd] = numbers.subarray(PLACE_WIDTH);
  bits.set([there, atEnd]);
  return { stream, there: float[0], atEnd: float[1] };
}
