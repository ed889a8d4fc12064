/** Where the worker starts. Browsers store the compiled code of what a worker's script imports, but not of the script itself. */
import "./answering.ts";
