import type { Finding } from "../analyses/finding.ts";

/** The finding as it is, indented, with every digit. */
export function renderJson(finding: Finding): string {
  return `${JSON.stringify(finding, null, 2)}\n`;
}
