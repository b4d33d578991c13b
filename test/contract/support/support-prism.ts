import { getHttpOperationsFromSpec } from "@stoplight/prism-http";
import { createClientFromOperations } from "@stoplight/prism-http/dist/client.js";
import { type Behaviour, json, type RecordedRequest } from "../../support/rude-server.ts";

export interface Judgement {
  /** What the vendor's description answers: its own example, or Prism's refusal. */
  answer: Behaviour;
  /** Each way in which the request or the answer breaks the description. */
  breaches: string[];
}

type Client = ReturnType<typeof createClientFromOperations>;
type Logger = NonNullable<Parameters<typeof createClientFromOperations>[1]["logger"]>;

/**
 * Judges requests by a vendor's OpenAPI description, in this process.
 *
 * @param file the description
 */
export async function openPrism(file: string): Promise<(request: RecordedRequest) => Promise<Judgement>> {
  const client: Client = createClientFromOperations(await getHttpOperationsFromSpec(file), {
    isProxy: false,
    mock: { dynamic: false },
    validateRequest: true,
    validateResponse: true,
    checkSecurity: true,
    errors: true,
    upstreamProxy: undefined,
    logger: silentLogger(),
  });
  return async ({ method, path, headers, body }) => {
    try {
      const { status, data, violations } = await client.request(path, {
        method: method.toLowerCase() as "post",
        headers,
        body,
      });
      return {
        answer: json(status, data),
        breaches: [...violations.input, ...violations.output].map(wording),
      };
    } catch (error) {
      const { status = 500, additional } = error as {
        status?: number;
        additional?: { validation?: Breach[] };
      };
      return {
        answer: json(status, {}),
        breaches: (additional?.validation ?? []).map(wording).concat(String(error)),
      };
    }
  };
}

/**
 * Asks a service through a vendor's description, and judges what it answers.
 *
 * @param file the description
 * @param upstream address of the service
 */
export async function judgeAnswers(file: string, upstream: string) {
  const client: Client = createClientFromOperations(await getHttpOperationsFromSpec(file), {
    isProxy: true,
    upstream: new URL(upstream),
    validateRequest: true,
    validateResponse: true,
    checkSecurity: false,
    errors: false,
    upstreamProxy: undefined,
    logger: silentLogger(),
  } as unknown as Parameters<typeof createClientFromOperations>[1]);
  return async (
    path: string,
    { method, headers, body }: { method: string; headers: Record<string, string>; body: string | undefined },
  ): Promise<{ status: number; breaches: string[] }> => {
    const { status, violations } = await client.request(path, { method: method as "post", headers, body });
    return { status, breaches: [...violations.input, ...violations.output].map(wording) };
  };
}

interface Breach {
  message: string;
}

const wording = ({ message }: Breach) => message;

/** Prism tells every step of its decision on standard output. */
function silentLogger(): Logger {
  const nothing = () => undefined;
  const logger = {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    fatal: nothing,
  };
  return { ...logger, success: nothing, child: silentLogger } as unknown as Logger;
}
