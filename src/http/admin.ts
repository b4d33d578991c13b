/**
 * The operators' API, in one screen: mounted at `/admin/v1`. Every answer is uncached and every action asks why. There is no
 * CORS, and a body must be `application/json`, so no page of another origin can act with somebody's Access cookie.
 */

import { Hono } from "hono";
import { listBans } from "../domain/monitor/effective-control.ts";
import { OPENMETRICS_TYPE } from "../domain/monitor/metrics.ts";
import { ban, challengeSubject, liftBan, liftChallenge } from "../flows/operators/change-bans.ts";
import { clearPosture, clearThrottle, setPosture, setThrottle } from "../flows/operators/change-posture.ts";
import { type QueuesPort, replayDeadLetter } from "../flows/operators/replay-dead-letter.ts";
import { readIncident, readIncidents } from "../flows/operators/views/read-incidents.ts";
import { readMetrics } from "../flows/operators/views/read-metrics.ts";
import { readState } from "../flows/operators/views/read-state.ts";
import { readSubjects } from "../flows/operators/views/read-subjects.ts";
import type { OperatorIdentificationPort } from "../ports/access.ts";
import type { Deps } from "../ports/deps.ts";
import {
  actionToWire,
  banChangedToWire,
  banToWire,
  deadLetterToWire,
  incidentStoryToWire,
  incidentToWire,
  postureChangedToWire,
  rangesToWire,
  serviceStateToWire,
  throttleChangedToWire,
} from "./admin/answers.ts";
import { worstCaseBoundApi } from "./admin/bound.ts";
import {
  banBody,
  isRecordId,
  liftBanBody,
  listQuery,
  postureBody,
  rangesQuery,
  throttleBody,
  whyBody,
} from "./admin/contract.ts";
import { type EvidenceDeps, evidenceApi } from "./admin/evidence.ts";
import { NO_SUCH_ID, notDoneToWire } from "./admin/problems.ts";
import { routesApi } from "./admin/routes.ts";
import { rulesApi } from "./admin/rules.ts";
import { type AdminEnv, actionAnswer, adminTools, readQuery } from "./admin/tools.ts";
import { traceApi } from "./admin/trace.ts";
import { webhooksApi } from "./admin/webhooks.ts";
import { boundBodies } from "./bound-bodies.ts";

export type AdminDeps = Deps & EvidenceDeps & { operators: OperatorIdentificationPort; queues: QueuesPort };

export function adminApi(deps: AdminDeps) {
  const tools = adminTools(deps);
  const { action, problem } = tools;
  const { environment, policy, records, control, nowMs, operators } = deps;
  const { currency } = policy.money;
  const api = new Hono<AdminEnv>();

  api.use(async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
  });
  api.use(boundBodies(problem));
  api.use(async (c, next) => {
    const found = await operators.identify(c.req.raw.headers);
    if (found.kind === "operator") {
      c.set("operator", { who: found.who, role: found.role });
      return next();
    }
    const status = found.kind === "refused" ? 401 : 503;
    return problem(c, notDoneToWire(found), `operator ${status}: ${found.cause}`);
  });

  api.get("/status", async (c) => c.json(serviceStateToWire(await readState(deps), policy, environment)));

  api.put("/posture", (c) =>
    action(c, postureBody, async (act, { posture, for_seconds, lift_caps }) => {
      const command = { posture, forSeconds: for_seconds, liftCaps: lift_caps };
      return actionAnswer(await setPosture(deps, act, command), postureChangedToWire);
    }),
  );
  api.delete("/posture", (c) =>
    action(c, whyBody, async (act) => actionAnswer(await clearPosture(deps, act), postureChangedToWire)),
  );
  api.put("/throttle", (c) =>
    action(c, throttleBody, async (act, { percent, max_per_minute, for_seconds }) => {
      const amount = percent === undefined ? { maxPerMinute: max_per_minute ?? 1 } : { percent };
      return actionAnswer(
        await setThrottle(deps, act, { ...amount, forSeconds: for_seconds }),
        throttleChangedToWire,
      );
    }),
  );
  api.delete("/throttle", (c) =>
    action(c, whyBody, async (act) => actionAnswer(await clearThrottle(deps, act), postureChangedToWire)),
  );

  api.get("/blocks", async (c) => {
    const documents = await control.documents();
    if ("kind" in documents) return problem(c, notDoneToWire(documents));
    return c.json({ blocks: listBans(documents, nowMs()).map(banToWire), faults: documents.faults });
  });
  api.post("/blocks", (c) =>
    action(c, banBody, async (act, { range, network, ip, effect, for_seconds }) => {
      const command = { subject: range ?? network ?? ip ?? "", forSeconds: for_seconds };
      const restrict = effect === "stop" ? ban : challengeSubject;
      return actionAnswer(await restrict(deps, act, command), banChangedToWire);
    }),
  );
  api.delete("/blocks", (c) =>
    action(c, liftBanBody, async (act, { subject, effect, exempt_for_seconds: exemptForSeconds }) =>
      actionAnswer(
        effect === "challenge"
          ? await liftChallenge(deps, act, { subject })
          : await liftBan(deps, act, { subject, exemptForSeconds }),
        banChangedToWire,
      ),
    ),
  );

  api.get("/ranges", async (c) => {
    const query = readQuery(c, rangesQuery);
    if ("wire" in query) return problem(c, query.wire);
    const { by, minutes, hours, limit } = query.value;
    const span = hours === undefined ? { minutes: minutes ?? policy.monitor.window_minutes } : { hours };
    const question = { by, span, limit };
    const ranges = await readSubjects(deps, question);
    return ranges.kind === "answered"
      ? c.json(rangesToWire(ranges, question, currency))
      : problem(c, notDoneToWire(ranges));
  });

  api.get("/incidents", async (c) => {
    const found = await readIncidents(deps);
    return found.kind === "answered"
      ? c.json({ currency, incidents: found.incidents.map(incidentToWire) })
      : problem(c, notDoneToWire(found));
  });
  api.get("/incidents/:id", async (c) => {
    const id = c.req.param("id");
    const story = isRecordId(id) ? await readIncident(deps, id) : null;
    if (story === null) return problem(c, NO_SUCH_ID);
    return "kind" in story ? problem(c, notDoneToWire(story)) : c.json(incidentStoryToWire(story, currency));
  });
  api.get("/actions", async (c) => {
    const query = readQuery(c, listQuery);
    if ("wire" in query) return problem(c, query.wire);
    const found = await records.actions(query.value.limit);
    return found.kind === "answered"
      ? c.json({ actions: found.actions.map(actionToWire) })
      : problem(c, notDoneToWire(found));
  });

  api.get("/dead-letters", async (c) => {
    const query = readQuery(c, listQuery);
    if ("wire" in query) return problem(c, query.wire);
    const found = await records.deadLetters(query.value.limit);
    const whole = c.get("operator").role === "operator";
    return found.kind === "answered"
      ? c.json({ letters: found.letters.map((letter) => deadLetterToWire(letter, whole)) })
      : problem(c, notDoneToWire(found));
  });
  api.post("/dead-letters/:id/replay", (c) => {
    const id = c.req.param("id");
    if (!isRecordId(id)) return problem(c, NO_SUCH_ID);
    return action(c, whyBody, async (act) =>
      actionAnswer(await replayDeadLetter(deps, act, id), ({ recorded, notes, letter }) => ({
        recorded,
        notes,
        letter: deadLetterToWire(letter, false),
      })),
    );
  });

  api.route("/routes", routesApi(deps, tools));
  api.route("/bound", worstCaseBoundApi(deps, tools));
  api.route("/rules", rulesApi(deps, tools));
  api.route("/webhooks", webhooksApi(deps, tools));
  api.route("/trace", traceApi(deps, tools));
  api.route("/", evidenceApi(deps, tools));
  api.get("/metrics", async (c) =>
    c.body(await readMetrics(deps), 200, { "content-type": OPENMETRICS_TYPE }),
  );
  return api;
}
