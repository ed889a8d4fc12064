/** Where a script finds what belongs to it, by its own address. */
import { expect, test } from "vitest";
import { ORT_VERSION } from "../../src/engine/ort-version.ts";
import { scriptFiles } from "../../src/script/files.ts";

test.each([
  [
    "https://a.org/node_modules/glassformer/dist/browser/glassformer.js",
    "node_modules/glassformer/",
    "node_modules/onnxruntime-web/",
  ],
  [
    "https://a.org/npm/glassformer@1.2.3/dist/browser/glassformer.js?x=1",
    "npm/glassformer@1.2.3/",
    `npm/onnxruntime-web@${ORT_VERSION}/`,
  ],
  ["https://a.org/npm/glassformer@1.2.3", "npm/glassformer@1.2.3/", `npm/onnxruntime-web@${ORT_VERSION}/`],
  ["https://a.org/glassformer", "glassformer/", "onnxruntime-web/"],
])("%s is in the package's folder", (address, folder, runtime) => {
  expect(scriptFiles(address)).toEqual({
    worker: `https://a.org/${folder}dist/browser/glassformer-worker.js`,
    runtimeFolder: `https://a.org/${runtime}dist/`,
    models: `https://a.org/${folder}models/`,
  });
});

test.each(["https://a.org/js/glassformer.js", "https://a.org/js/", "https://a.org/js/my-glassformer?glassformer#x"])(
  "%s is not, and everything is next to it",
  (address) => {
    expect(scriptFiles(address)).toEqual({
      worker: "https://a.org/js/glassformer-worker.js",
      runtimeFolder: "https://a.org/js/",
      models: "https://a.org/js/models/",
    });
  },
);
