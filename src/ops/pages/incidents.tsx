import { readIncidents } from "../../flows/read-state.ts";
import type { OpsDeps, OpsPage, PageRequest } from "../page.ts";
import { Badge, Card, Empty, Faults, Time } from "../parts.tsx";
import { hrefOf, POSTURE_TONE } from "../shell.tsx";

/** All incidents that are kept, the newest first. */
export const incidents: OpsPage = {
  path: "/incidents",
  title: "Incidents",
  nav: "Incidents",
  live: true,
  view,
};

async function view(deps: OpsDeps, { words, nowMs }: PageRequest) {
  const found = await readIncidents(deps);
  const list = found.kind === "answered" ? found.incidents : [];
  return (
    <>
      <div class="head">
        <h1>Incidents</h1>
        <a href={hrefOf("/dead-letters")}>Deliveries that were given up</a>
      </div>
      <Faults faults={found.kind === "answered" ? [] : [`incidents: ${found.cause}`]} />
      <Card title="The newest first">
        {list.length === 0 ? (
          <Empty>There was none. An incident opens by itself when the watch finds an attack.</Empty>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">First sign</th>
                  <th scope="col">State</th>
                  <th scope="col">Lasted</th>
                  <th scope="col">Highest posture</th>
                  <th scope="col" class="number">
                    Leaked
                  </th>
                  <th scope="col" class="number">
                    Sent
                  </th>
                  <th scope="col" class="number">
                    Verified
                  </th>
                  <th scope="col">Strongest sign</th>
                </tr>
              </thead>
              <tbody>
                {list.map((incident) => (
                  <tr id={`incident-${incident.id}`}>
                    <th scope="row">
                      <a href={hrefOf(`/incidents/${incident.id}`)}>
                        <Time ms={incident.openedAtMs} as="date" />
                      </a>
                    </th>
                    <td>
                      {incident.closedAtMs === null ? (
                        <Badge tone="bad">open</Badge>
                      ) : (
                        <Badge tone="quiet">over</Badge>
                      )}
                    </td>
                    <td>{words.lasting((incident.closedAtMs ?? nowMs) - incident.openedAtMs)}</td>
                    <td>
                      <Badge tone={POSTURE_TONE[incident.posture]}>{incident.posture}</Badge>
                    </td>
                    <td class="number">{words.money(incident.unansweredMicros)}</td>
                    <td class="number">{words.count(incident.sent)}</td>
                    <td class="number">{words.count(incident.verified)}</td>
                    <td class="why">{incident.findings[0]?.says ?? "set by hand"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
    </>
  );
}
