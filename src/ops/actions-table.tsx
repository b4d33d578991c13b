import type { OperatorAction } from "../ports.ts";
import { Empty, Time } from "./parts.tsx";
import { utc } from "./posture-words.ts";

/** What people did, when and why. */
export function ActionsTable({ actions }: { actions: readonly OperatorAction[] }) {
  if (actions.length === 0) return <Empty>Nobody did anything.</Empty>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {actions.map(({ id, atMs, who, what, why, details }) => (
            <tr id={`action-${id}`}>
              <td>
                <Time ms={atMs} />
              </td>
              <td>{who}</td>
              <td>
                {what}
                <small class="details">{saysDetails(details)}</small>
              </td>
              <td class="why">{why}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function saysDetails(details: OperatorAction["details"]): string {
  return Object.entries(details)
    .filter(([, value]) => value !== null && value !== false)
    .map(([name, value]) =>
      name.endsWith("_ms") && typeof value === "number"
        ? `${spaced(name.slice(0, -3))} ${utc(value)}`
        : `${spaced(name)} ${value}`,
    )
    .join(", ");
}

const spaced = (name: string) => name.replaceAll("_", " ");
