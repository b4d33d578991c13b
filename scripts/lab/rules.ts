/** The rules the lab can play, by the name they have on the command line. */
import { authgearRule } from "./opponents/authgear.ts";
import { noRule } from "./opponents/none.ts";
import { recipeRule } from "./opponents/recipe.ts";
import type { RuleFactory } from "./rule.ts";
import { tollgateRule } from "./tollgate/rule.ts";

/** The product under test. */
export const OURS = "tollgate";

const FACTORIES: Readonly<Record<string, RuleFactory>> = {
  [OURS]: tollgateRule,
  none: noRule,
  recipe: recipeRule,
  authgear: authgearRule({ name: "authgear", action: "deny", countsRefused: false }),
  "authgear-server": authgearRule({ name: "authgear-server", action: "deny", countsRefused: true }),
  "authgear-record": authgearRule({ name: "authgear-record", action: "record_only", countsRefused: true }),
};

/** What is played when nobody says otherwise. */
export const DEFAULT_RULES: readonly string[] = [OURS, "none", "recipe", "authgear", "authgear-record"];

/** @returns the rule's maker, or null when no rule has this name */
export const ruleFactory = (name: string): RuleFactory | null => FACTORIES[name] ?? null;

export const ruleNames = (): string[] => Object.keys(FACTORIES);
