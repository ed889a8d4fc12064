/** What the bundler brings. */

/** Style sheets. */
declare module "*.css";

/** Where the page's onnxruntime is, next to the page. */
declare const RUNTIME_FOLDER: string;

/** The bytes of a graph, as ONNX. */
declare const SMALLEST_GRAPH: readonly number[];

/** Whether the page is built as a site of its own, and not for `glassformer serve`. */
declare const IS_SITE: boolean;

/** What the service worker of such a site knows of its files. */
declare const SITE: {
  readonly version: string;
  /** Paths of files that never change under their names. */
  readonly fixed: readonly string[];
  /** Paths of the others. */
  readonly changing: readonly string[];
  /** The folder that onnxruntime's files are in, each stored when it is first used. */
  readonly runtime: string;
};
