/** The pages, in the order of the navigation, and the actions. */
import { BAN_ACTIONS } from "./ban-actions.ts";
import type { OpsAction, OpsPage } from "./page.ts";
import { DEAD_LETTER_ACTIONS, deadLetters } from "./pages/dead-letters.tsx";
import { destinations } from "./pages/destinations.tsx";
import { INCIDENT_ACTIONS, incident } from "./pages/incident.tsx";
import { incidents } from "./pages/incidents.tsx";
import { overview } from "./pages/overview.tsx";
import { policy } from "./pages/policy.tsx";
import { providers } from "./pages/providers.tsx";
import { sources } from "./pages/sources.tsx";
import { switchPage } from "./pages/switch.tsx";
import { trace } from "./pages/trace.tsx";
import { PAUSE_ACTIONS } from "./pause-actions.ts";
import { ROUTE_ACTIONS } from "./route-actions.ts";
import { SWITCH_ACTIONS } from "./switch-actions.ts";

export const PAGES: readonly OpsPage[] = [
  overview,
  switchPage,
  destinations,
  sources,
  providers,
  incidents,
  incident,
  trace,
  policy,
  deadLetters,
];

export const ACTIONS: readonly OpsAction[] = [
  ...SWITCH_ACTIONS,
  ...PAUSE_ACTIONS,
  ...INCIDENT_ACTIONS,
  ...DEAD_LETTER_ACTIONS,
  ...BAN_ACTIONS,
  ...ROUTE_ACTIONS,
];
