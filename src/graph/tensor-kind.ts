/** The kind of value that an option or an argument that must be a Tensor holds. */
import type { Kind } from "../tensor/kinds.ts";
import { Tensor } from "./tensor.ts";

export const TENSOR: Kind = { accepts: (v) => v instanceof Tensor, describe: "a Tensor" };
