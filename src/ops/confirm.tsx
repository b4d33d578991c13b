import type { ActionConsequences, OpsAction, ViewerContext } from "./page.ts";
import { hrefOf } from "./shell.tsx";

/** The second step of an action: what it will do, in words, and the question why. */
export function Confirm({
  view,
  action,
  intent,
  fields,
  why,
  changed,
  fault,
  back,
}: {
  view: ViewerContext;
  action: OpsAction;
  intent: ActionConsequences & { seen: string };
  fields: Record<string, string>;
  why: string;
  /** Somebody else changed it while this was being read. */
  changed: boolean;
  fault: string | null;
  back: string;
}) {
  return (
    <section class="card confirm">
      <h1>{action.title}</h1>
      {changed ? (
        <p class="notice warn" role="alert">
          It was changed while you read. Look again at what you would replace.
        </p>
      ) : null}
      <ul class="says">
        {intent.says.map((sentence) => (
          <li>{sentence}</li>
        ))}
      </ul>
      {intent.replaces === null ? null : (
        <p class="replaces">
          <strong>Replaces</strong> {intent.replaces}
        </p>
      )}
      <form method="post" action={`/ops${action.path}`}>
        <input type="hidden" name="csrf" value={view.csrf} />
        <input type="hidden" name="confirmed" value="yes" />
        <input type="hidden" name="seen" value={intent.seen} />
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <label class="field">
          <span>Why</span>
          <input
            name="why"
            value={why}
            required
            minlength={3}
            maxlength={200}
            autocomplete="off"
            autofocus
            aria-describedby="why-hint"
            aria-invalid={fault === null ? undefined : "true"}
          />
          <small id="why-hint">{fault ?? "Written down with your name, and shown to everybody."}</small>
        </label>
        <div class="buttons">
          <button type="submit" class={intent.laxer ? "primary laxer" : "primary"}>
            {intent.button}
          </button>
          <a class="button" href={hrefOf(back)}>
            {intent.back ?? "Cancel"}
          </a>
        </div>
      </form>
    </section>
  );
}
