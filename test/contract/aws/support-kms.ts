/**
 * A stand-in of KMS (https://docs.aws.amazon.com/kms/latest/APIReference/) for keys of P-256: as strict as its description, and
 * it checks every request's signature with the secret, by the rules of Signature Version 4 and not by the library under test.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { p256 } from "@noble/curves/nist.js";
import { z } from "zod";
import { isSigned } from "./support-sigv4.ts";

export const LOGIN = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

/** What stands before the point of a P-256 key in DER (RFC 5480). */
const SPKI_P256 = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

const signFields = z.strictObject({
  KeyId: z.string(),
  Message: z.base64().refine((message) => Buffer.from(message, "base64").length === 32),
  MessageType: z.literal("DIGEST"),
  SigningAlgorithm: z.literal("ECDSA_SHA_256"),
});

export interface KmsStandIn {
  url: string;
  /** Operations in order, with the fields they came with. */
  asked: { operation: string; fields: Record<string, unknown> }[];
  /** What the next requests meet instead of an answer. */
  faults: ((response: ServerResponse) => void)[];
  /** Changes an answer on its way. */
  twist: (answer: Record<string, unknown>) => Record<string, unknown>;
  addKey(arn: string): void;
  close(): Promise<void>;
}

export async function serveKms(region: string): Promise<KmsStandIn> {
  const keys = new Map<string, Uint8Array>();
  const standIn: KmsStandIn = {
    url: "",
    asked: [],
    faults: [],
    twist: (answer) => answer,
    addKey: (arn) => void keys.set(arn, p256.utils.randomSecretKey()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const refuse = (response: ServerResponse, type: string) =>
    response
      .writeHead(400, { "content-type": "application/x-amz-json-1.1" })
      .end(JSON.stringify({ __type: type, message: "which repeats what was sent" }));

  const server = createServer(async (request, response) => {
    const body = await text(request);
    const fault = standIn.faults.shift();
    if (fault !== undefined) return fault(response);
    if (request.method !== "POST" || request.url !== "/") return void response.writeHead(404).end();
    const signed = {
      method: "POST",
      target: request.url,
      headers: request.headers as Record<string, string>,
      body,
    };
    if (!isSigned(signed, LOGIN.secretAccessKey, { region, service: "kms" }))
      return void refuse(response, "InvalidSignatureException");
    const operation = /^TrentService\.(Sign|GetPublicKey)$/.exec(
      String(request.headers["x-amz-target"]),
    )?.[1];
    if (operation === undefined || request.headers["content-type"] !== "application/x-amz-json-1.1")
      return void refuse(response, "UnknownOperationException");
    const schema = operation === "Sign" ? signFields : z.strictObject({ KeyId: z.string() });
    const fields = schema.safeParse(JSON.parse(body));
    if (!fields.success) return void refuse(response, "ValidationException");
    standIn.asked.push({ operation, fields: fields.data });
    const { KeyId } = fields.data;
    const secret = keys.get(KeyId);
    if (secret === undefined) return void refuse(response, "com.amazonaws.kms#NotFoundException");
    const answer =
      "Message" in fields.data
        ? {
            KeyId,
            Signature: base64(
              p256.sign(Buffer.from(String(fields.data.Message), "base64"), secret, {
                prehash: false,
                lowS: false,
                format: "der",
              }),
            ),
            SigningAlgorithm: "ECDSA_SHA_256",
          }
        : {
            KeyId,
            PublicKey: base64(Buffer.concat([SPKI_P256, p256.getPublicKey(secret, false)])),
            CustomerMasterKeySpec: "ECC_NIST_P256",
            KeySpec: "ECC_NIST_P256",
            KeyUsage: "SIGN_VERIFY",
            SigningAlgorithms: ["ECDSA_SHA_256"],
          };
    response
      .writeHead(200, { "content-type": "application/x-amz-json-1.1" })
      .end(JSON.stringify(standIn.twist(answer)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  standIn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return standIn;
}
