import { UsageError } from "../lib/command.ts";
/** The operator's commands: what each takes, says of itself and does. */
import { ACTING } from "./acting.ts";
import { BOUND } from "./bound.ts";
import type { Command } from "./command.ts";
import { ERASE } from "./erase.ts";
import { INCIDENT } from "./incident.ts";
import { KEYS } from "./keys.ts";
import { LIFT_NUMBER } from "./lift-number.ts";
import { LOOKING } from "./looking.ts";
import { PERSON } from "./person.ts";
import { ROUTES } from "./routes.ts";
import { RULES } from "./rules.ts";
import { STORAGE } from "./storage.ts";
import { mintOperatorToken, readTokenRequest, tokenInstructions } from "./token.ts";
import { TRACE } from "./trace.ts";
import { VOLUMES } from "./volumes.ts";
import { WEBHOOKS } from "./webhooks.ts";

const TOKENS: readonly Command[] = [
  {
    name: "token create",
    usage: "token create NAME [--role viewer|operator]",
    about: "make an operator token; needs no service",
    help: "  NAME            small letters, digits and hyphens, at most 40; it stands beside every action\n  --role ROLE     viewer may look, operator (the default) may act",
    options: ["role"],
    words: [1, 1],
    run: null,
    runAlone: async ({ words: [name = ""], values: { role = "operator" } }) => {
      const wanted = readTokenRequest(name, role);
      if (wanted === null) {
        throw new UsageError(
          `"${name}" as ${role} will not do: small letters, digits and hyphens; viewer or operator.`,
        );
      }
      const minted = await mintOperatorToken(wanted.who, wanted.role);
      console.error(tokenInstructions(minted));
      console.log(minted.token);
    },
  },
];

export const COMMANDS: readonly Command[] = [
  ...LOOKING,
  ...TRACE,
  ...BOUND,
  ...RULES,
  ...ACTING,
  ...ROUTES,
  ...WEBHOOKS,
  ...VOLUMES,
  ...INCIDENT,
  ...PERSON,
  ...ERASE,
  ...LIFT_NUMBER,
  ...STORAGE,
  ...KEYS,
  ...TOKENS,
];
