/** Signature Version 4 as a server checks it (AWS, "Create a signed API request"), for requests with one value a header. */
import { createHash, createHmac } from "node:crypto";

export interface SignedRequest {
  method: string;
  /** Path with its query, as it was asked for. */
  target: string;
  /** By name in small letters. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** Whether the request's Authorization is that of this secret, for this scope. */
export function isSigned(
  request: SignedRequest,
  secret: string,
  scope: { region: string; service: string },
): boolean {
  const { authorization = "", "x-amz-date": date = "" } = request.headers;
  const day = date.slice(0, 8);
  const parts =
    /^AWS4-HMAC-SHA256 Credential=[\w]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  const place = `${day}/${scope.region}/${scope.service}/aws4_request`;
  if (parts === null || parts[1] !== place) return false;
  const text = [
    "AWS4-HMAC-SHA256",
    date,
    place,
    sha256(canonical(request, String(parts[2]).split(";"))),
  ].join("\n");
  const key = [day, scope.region, scope.service, "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${secret}`,
  );
  return hmac(key, text).toString("hex") === parts[3];
}

function canonical({ method, target, headers, body }: SignedRequest, signed: readonly string[]): string {
  const [path = "/", query = ""] = target.split("?");
  return [
    method,
    path,
    query.split("&").sort().join("&"),
    ...signed.map((name) => `${name}:${headers[name]?.trim() ?? ""}`),
    "",
    signed.join(";"),
    sha256(body),
  ].join("\n");
}
