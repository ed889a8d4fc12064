/** Where the page starts: first its worker, then all that is drawn. */
import "./page.css";
import "./the-worker.ts";

void import("./page.tsx");
