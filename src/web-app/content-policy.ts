/** What the page may load and run: its own files and WebAssembly. No inline script or style, no eval. */
export const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  // Models come from the Hugging Face hub or any other address.
  "connect-src 'self' https: http:",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
