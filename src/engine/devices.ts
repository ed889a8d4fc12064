/** Where a runtime computes. */
import { ArgumentError } from "../tensor/errors.ts";
import { shortened } from "../tensor/show.ts";

/** The devices that onnxruntime can be asked for: WebGPU in pages and in Node, CUDA in Node, where its libraries are installed. */
export const DEVICES = ["cpu", "webgpu", "cuda"] as const;
/** One of them. */
export type Device = (typeof DEVICES)[number];

/**
 * The error for a device that is not there.
 * @param tries whether a device can be used here
 */
export async function missingDevice(
  device: Device,
  cause: unknown,
  tries: (device: Device) => Promise<boolean>,
): Promise<ArgumentError> {
  const there: Device[] = [];
  for (const other of DEVICES) if (other !== device && (await tries(other))) there.push(other);
  const reason = cause instanceof Error ? cause.message.trim().split(/\r?\n/)[0] : String(cause);
  return new ArgumentError(
    `The device "${device}" cannot be used here (onnxruntime says: ${shortened(reason.replace(/\.$/, ""), 200)}). Devices that can: ${there.join(", ")}.`,
    { asked: device, found: there, cause },
  );
}
