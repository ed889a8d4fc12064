import { checkTokens } from "./option-kinds.ts";
import { visibleToken } from "./token-text.ts";

/** Tick labels for an axis of positions: "3 ␣Mary", so that repeated tokens can be distinguished. */
export function tokenTicks(strTokens: readonly string[]): string[] {
  checkTokens(strTokens);
  return strTokens.map((token, pos) => `${pos} ${visibleToken(token)}`);
}
