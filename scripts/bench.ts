/** Times the hot paths of a running local service, one request after another: what a person waits, not what a load does. */
import { parseArgs } from "node:util";
import { CommandError, runCommand } from "./lib/command.ts";

const HELP = `Times sending, verifying and refusing against the local service; start it with npm start first.

  npm run bench -- [--requests 200]

  --requests N   of each kind, 10 to 500; default 200
  --help

  PORT, INBOX_PORT   where the service and its inbox are, default 8787 and 8790
`;

const TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

await runCommand(async () => {
  const { values } = parseArgs({
    options: { requests: { type: "string", default: "200" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);
  const requests = Number(values.requests);
  if (!Number.isInteger(requests) || requests < 10 || requests > 500) {
    throw new CommandError(`--requests is "${values.requests}"; it goes from 10 to 500.`);
  }
  const service = `http://localhost:${process.env.PORT || 8787}`;
  const inbox = `http://localhost:${process.env.INBOX_PORT || 8790}`;
  await fetch(`${service}/healthz`).catch(() => {
    throw new CommandError(`Nothing answers at ${service}: run npm start first.`);
  });

  const start = Math.floor(Math.random() * 1_000_000);
  const phones = Array.from(
    { length: requests },
    (_, i) => `+9190${String(10_000_000 + start * 37 + i * 1013).slice(-8)}`,
  );
  const times: Record<string, number[]> = {
    "refused by hygiene": [],
    send: [],
    "wrong code": [],
    verify: [],
    session: [],
  };
  const time = async (name: string, path: string, body: object | null, i: number, headers = {}) => {
    const began = performance.now();
    const response = await fetch(service + path, {
      method: body === null ? "GET" : "POST",
      headers: {
        ...(body === null ? {} : { "content-type": "application/json" }),
        "x-tollgate-dev-client": JSON.stringify({
          ip: `198.18.${i >> 8}.${i & 255}`,
          asn: 64_500,
          country: "IN",
        }),
        ...headers,
      },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, string>;
    times[name]?.push(performance.now() - began);
    return { status: response.status, answer };
  };

  for (const [i, phone] of phones.entries()) {
    if (process.stderr.isTTY && i % 10 === 0) process.stderr.write(`\r${i} of ${requests}`);
    await time("refused by hygiene", "/v1/send", { phone: "+18002345678" }, i);
    const sent = await time("send", "/v1/send", { phone, captcha_token: TOKEN }, i);
    if (sent.status !== 202)
      throw new CommandError(`A send was answered ${sent.status} ${sent.answer.code}.`);
    const session = sent.answer.session ?? "";
    const messages = (await (await fetch(`${inbox}/messages?to=${phone.slice(1)}`)).json()) as {
      body: string;
    }[];
    const code = /^\d+/.exec(messages[0]?.body ?? "")?.[0] ?? "";
    const other = code === "000000" ? "000001" : "000000";
    await time("wrong code", "/v1/verify", { session, code: other }, i);
    await time("session", "/v1/session", null, i, { authorization: `Bearer ${session}` });
    await time("verify", "/v1/verify", { session, code }, i);
  }
  if (process.stderr.isTTY) process.stderr.write("\r");

  console.log(`${requests} of each, one after another, milliseconds`);
  console.log("                     median     p95     max");
  for (const [name, list] of Object.entries(times)) {
    const sorted = list.sort((a, b) => a - b);
    const at = (share: number) =>
      (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
    console.log(`${name.padEnd(20)} ${at(0.5).padStart(6)}  ${at(0.95).padStart(6)}  ${at(1).padStart(6)}`);
  }
});
