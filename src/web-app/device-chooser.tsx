/** On what the model computes: what it is, and the choice. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ComputesOn } from "./messages.ts";
import { DEVICE_CHOICES, type DeviceChoice } from "./state.ts";
import { asking, change, state } from "./store.ts";

const NAMES: Readonly<Record<DeviceChoice, string>> = {
  ...{ automatic: "Automatic", cpu: "WebAssembly", webgpu: "WebGPU" },
};

/** In words: "WebAssembly, 2 threads". */
export function computesOn({ device, threads, why }: ComputesOn): string {
  const name = device === "cpu" ? `${NAMES.cpu}, ${threads} ${threads === 1 ? "thread" : "threads"}` : NAMES[device];
  return why === undefined ? name : `${name}, not WebGPU: ${why}`;
}

export function DeviceChooser() {
  const missing = useSignal("");
  useEffect(() => {
    void asking.ask("whyNoWebGpu", {}).then((why) => {
      missing.value = why;
    });
  }, []);
  return (
    <fieldset class="devices">
      <legend>Compute on</legend>
      {DEVICE_CHOICES.map((one) => (
        <label key={one}>
          <input
            type="radio"
            name="device"
            checked={state.value.device === one}
            disabled={one === "webgpu" && missing.value !== ""}
            onChange={() => change({ device: one })}
          />
          <span>
            {NAMES[one]} <small>{helpOf(one, missing.value)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function helpOf(one: DeviceChoice, missing: string): string {
  if (one === "automatic") return "WebGPU for a large model, if there is a graphics processor";
  if (one === "cpu") return "the processor";
  return missing ? `cannot be chosen: ${missing}` : "the graphics processor";
}
