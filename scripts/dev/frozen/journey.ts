/** One scripted story that touches every store: people, refusals, outages, operators, an attack, and privacy. */
import { DUMMY_TOKEN } from "../siteverify.ts";
import { OPERATOR_TOKEN, type World } from "./world.ts";

const WHY = "frozen journey";
const OPERATOR = { authorization: `Bearer ${OPERATOR_TOKEN}` };
const NUMBER = "+919876543210";

/** Plays it. @returns the metrics as they stand at its end */
export async function playJourney(world: World): Promise<string> {
  await verification(world);
  await refusals(world);
  await outages(world);
  await operators(world);
  await attack(world);
  await looks(world);
  await privacy(world);
  await world.ringAlarms();
  await world.settle();
  return world.ask("metrics", "GET", "/admin/v1/metrics", { headers: OPERATOR });
}

const from = (ip: string, asn = 64_500, country = "IN") => ({
  "x-tollgate-dev-client": JSON.stringify({ ip, asn, country }),
});

function tools(world: World) {
  const operate = async (method: string, path: string, body?: object) => {
    const name = `operator ${method} ${path.split("?")[0]}`;
    const how =
      body === undefined ? { headers: OPERATOR } : { headers: OPERATOR, body: { why: WHY, ...body } };
    const answer = await world.ask(name, method, `/admin/v1${path}`, how);
    await world.settle();
    return answer;
  };
  const send = async (name: string, body: object, ip = "192.0.2.1", headers: Record<string, string> = {}) => {
    const whole = { phone: NUMBER, flow: "signup", captcha_token: DUMMY_TOKEN, ...body };
    const answer = await world.ask(`send: ${name}`, "POST", "/v1/send", {
      body: whole,
      headers: { ...from(ip), ...headers },
    });
    await world.settle();
    return answer;
  };
  const verify = async (name: string, body: object) => {
    const answer = await world.ask(`verify: ${name}`, "POST", "/v1/verify", {
      body,
      headers: from("192.0.2.1"),
    });
    await world.settle();
    return answer;
  };
  const code = () => /(?<!\d)\d{6}(?!\d)/.exec(world.inbox.messages[0]?.body ?? "")?.[0] ?? "000000";
  const wrong = () => (code() === "111111" ? "222222" : "111111");
  return { operate, send, verify, code, wrong };
}

async function verification(world: World): Promise<void> {
  const { send, verify, code, wrong } = tools(world);
  const whole = { reference: "order-7", locale: "en-IN", device_id: "device-1", user_id: "user-1" };
  const sent = await send("whole", whole, "192.0.2.1", { "idempotency-key": "once" });
  await send("the same again", whole, "192.0.2.1", { "idempotency-key": "once" });
  await send("another with its key", { phone: "+919876543211" }, "192.0.2.1", { "idempotency-key": "once" });
  await world.receipt("delivered");
  await world.ask("session", "GET", "/v1/session", { headers: { authorization: `Bearer ${sent.session}` } });
  await verify("wrong code", { session: sent.session, code: wrong(), reference: "order-7" });
  await send("resend too soon", { phone: undefined, session: sent.session });
  world.advance(61_000);
  await send("resend", { phone: undefined, flow: undefined, session: sent.session });
  const verified = await verify("right code", { session: sent.session, code: code(), reference: "order-7" });
  await verify("used code", { session: sent.session, code: code(), reference: "order-7" });
  world.advance(120_000);
  const again = await send("known device", { device_token: verified.device_token, flow: "login" });
  for (let i = 0; i < 6; i++) {
    await verify("wrong codes", { session: again.session, code: wrong() });
    world.advance(20_000);
  }
  await send("voice", { phone: "+919876543212", channel: "voice" }, "192.0.2.9");
  const secret = "b".repeat(43);
  world.kv.set("api-key:aaaaaaaaaaaa", await keyRecord(secret));
  const server = { authorization: `Bearer tg_aaaaaaaaaaaa_${secret}` };
  const client = { ip: "198.51.100.7", country: "IN", asn: 64_501 };
  const served = await send("server", { phone: "+919876543213", client }, "192.0.2.3", server);
  const proof = await verify("server's code", { session: served.session, code: code() });
  const [, claims = "e30"] = String(proof.proof ?? "").split(".");
  const { jti = crypto.randomUUID() } = JSON.parse(Buffer.from(claims, "base64url").toString());
  const outcomes = [{ type: "signup", proof_id: jti, value_micros: 5_000_000 }];
  for (const name of ["outcomes", "outcomes again"]) {
    await world.ask(name, "POST", "/v1/outcomes", { body: { outcomes }, headers: server });
  }
}

async function keyRecord(secret: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return JSON.stringify({
    name: "shop-backend",
    hash: Buffer.from(hash).toString("base64url"),
    flows: ["*"],
    skip_captcha: true,
    max_per_minute: 60,
    created_at_ms: Date.now(),
    expires_at_ms: null,
  });
}

async function refusals(world: World): Promise<void> {
  const { send, verify } = tools(world);
  await send("no number", { phone: "+91123" });
  await send("unknown field", { stray: true });
  await send("fixed line", { phone: "+442079460018" });
  await send("no challenge", { phone: "+919876500001", captcha_token: undefined });
  await send("bad key", { phone: "+919876500001" }, "192.0.2.1", { authorization: "Bearer tg_nobody" });
  await send("unreadable authorization", {}, "192.0.2.1", { authorization: "Basic x" });
  await verify("junk session", { session: "x".repeat(100), code: "123456" });
  await verify("no code", { session: "x" });
  for (let i = 0; i < 8; i++)
    await send("one number too often", { phone: "+919876500002" }, `192.0.2.${20 + i}`);
  await world.ask("unknown path", "GET", "/v1/nothing", {});
  await world.ask("wrong method", "GET", "/v1/send", {});
  await world.ask("no operator", "GET", "/admin/v1/status", {});
  for (const path of ["/healthz", "/.well-known/jwks.json", "/problems", "/docs", "/element.js", "/"]) {
    await world.ask(path, "GET", path, {});
  }
}

async function outages(world: World): Promise<void> {
  const { send, verify } = tools(world);
  world.inbox.providerFaults.set("sandbox", {
    mode: "break",
    delay_ms: 0,
    receipts: "never",
    receipt_delay_ms: 0,
  });
  for (let i = 0; i < 4; i++) await send("failover", { phone: `+91987660000${i}` }, `192.0.2.${40 + i}`);
  Object.assign(world.inbox.faults, { mode: "refuse" });
  await send("both refuse", { phone: "+919876600010" }, "192.0.2.60");
  Object.assign(world.inbox.faults, { mode: "deliver" });
  world.inbox.providerFaults.clear();
  world.advance(300_000);
  await send("undelivered", { phone: "+919876600011" }, "192.0.2.61");
  await world.receipt("undelivered");
  world.upstash.faults.down = true;
  await send("no store", { phone: "+919876600012" }, "192.0.2.62");
  await verify("no store", { session: "x".repeat(100), code: "123456" });
  world.upstash.faults.down = false;
  world.siteverify.faults.down = true;
  await send("no siteverify", { phone: "+919876600013" }, "192.0.2.63");
  world.siteverify.faults.down = false;
}

async function operators(world: World): Promise<void> {
  const { operate, send } = tools(world);
  await operate("POST", "/blocks", { range: "+9198771", for_seconds: 3600 });
  await operate("POST", "/blocks", { network: "AS64999", for_seconds: 3600, effect: "challenge" });
  await operate("POST", "/blocks", { ip: "192.0.2.200", for_seconds: 3600 });
  await operate("POST", "/blocks", { ip: "nonsense", for_seconds: 3600 });
  world.advance(61_000);
  await send("blocked range", { phone: "+919877100001" }, "192.0.2.70");
  await send("blocked address", { phone: "+919878100001" }, "192.0.2.200");
  const challenged = {
    "x-tollgate-dev-client": JSON.stringify({ ip: "192.0.2.71", asn: 64_999, country: "IN" }),
  };
  await send("challenged network", { phone: "+919878100002" }, "192.0.2.71", challenged);
  const solved = { phone: "+919878100002", captcha_token: "once-1" };
  await send("challenged network, solved", solved, "192.0.2.71", challenged);
  await operate("DELETE", "/blocks", { subject: "+9198771", exempt_for_seconds: 3600 });
  await operate("DELETE", "/blocks", { subject: "AS64999", effect: "challenge" });
  for (const posture of ["elevated", "emergency", "shutdown"]) {
    await operate("PUT", "/posture", { posture, for_seconds: 600 });
    world.advance(61_000);
    await send(`posture ${posture}`, { phone: "+447911123456" }, "192.0.2.80");
    await world.cron();
  }
  await operate("DELETE", "/posture", {});
  await operate("PUT", "/throttle", { percent: 10, for_seconds: 600 });
  await operate("PUT", "/throttle", { max_per_minute: 1, for_seconds: 600 });
  world.advance(61_000);
  for (let i = 0; i < 3; i++) await send("throttled", { phone: `+91987820000${i}` }, `192.0.2.${90 + i}`);
  await operate("DELETE", "/throttle", {});
  const drain = { provider: "sandbox_b", drained: true };
  await operate("PUT", "/routes", { drain, for_seconds: 600 });
  await operate("PUT", "/routes", { weight: { provider: "sandbox", weight: 0.5 }, for_seconds: 600 });
  await operate("PUT", "/routes", { pin: { country: "IN", provider: "sandbox" }, for_seconds: 600 });
  await operate("DELETE", "/routes", { kind: "drain", subject: "sandbox_b" });
  await operate("POST", "/webhooks/test", {});
  const rotated = { ring: "session", key_id: "session-1", secret: "SESSION_KEYS" };
  await operate("POST", "/keys/rotated", rotated);
  await world.cron();
}

/** Numbers in one range ask in bulk and never answer, until the watch has seen it, and long enough for it to close. */
async function attack(world: World): Promise<void> {
  const { send } = tools(world);
  for (let minute = 0; minute < 24; minute++) {
    for (let i = 0; minute < 10 && i < 8; i++) {
      const number = `+23480312${String(minute * 8 + i).padStart(5, "0")}`;
      await send("attack", { phone: number }, `198.18.${minute}.${1 + i}`, {
        "x-tollgate-dev-client": JSON.stringify({
          ip: `198.18.${minute}.${1 + i}`,
          asn: 64_700,
          country: "NG",
        }),
      });
    }
    await world.cron();
  }
  world.advance(3_600_000);
  for (let i = 0; i < 20; i++) await world.cron();
}

async function looks(world: World): Promise<void> {
  const { operate } = tools(world);
  const reach = `from=${new Date(Date.now() - 86_400_000).toISOString()}&to=${new Date().toISOString()}`;
  const { incidents = [] } = await operate("GET", "/incidents");
  for (const { id } of incidents.slice(0, 1)) {
    await world.ask("operator GET an incident", "GET", `/admin/v1/incidents/${id}`, { headers: OPERATOR });
  }
  for (const by of ["country", "prefix", "network", "provider", "flow"]) {
    await operate("GET", `/ranges?by=${by}&hours=2`);
    await operate("GET", `/volumes?by=${by}&${reach}`);
  }
  for (const path of [
    "/status",
    "/blocks",
    "/actions",
    "/dead-letters",
    "/routes",
    "/rules",
    "/webhooks",
    "/keys",
  ]) {
    await operate("GET", path);
  }
  const { events = [] } = await operate("GET", `/events?${reach}`);
  const correlated = events.find((event: { correlation_id?: string }) => event.correlation_id);
  const trace = `/admin/v1/trace/${correlated?.correlation_id ?? "none"}`;
  await world.ask("operator GET a trace", "GET", trace, { headers: OPERATOR });
  await operate("GET", `/report-facts?${reach}`);
}

async function privacy(world: World): Promise<void> {
  const { operate } = tools(world);
  const to = new Date().toISOString();
  await operate("POST", "/events/export", { from: new Date(Date.now() - 86_400_000).toISOString(), to });
  await operate("POST", "/person", { number: NUMBER });
  await operate("POST", "/erase", { number: NUMBER });
  await operate("POST", "/person", { number: NUMBER });
}
