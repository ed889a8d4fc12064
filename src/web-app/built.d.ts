/** What the bundler brings. */

/** Style sheets. */
declare module "*.css";

/** Where the page's onnxruntime is, next to the page. */
declare const RUNTIME_FOLDER: string;
