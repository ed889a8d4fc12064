/** Which onnxruntime the package was made with. */
import { env } from "onnxruntime-common";

/** The version of onnxruntime-web, too: it depends on exactly this one. */
export const ORT_VERSION = env.versions.common!;
