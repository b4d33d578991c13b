import { z } from "zod";
import {
  PROBLEM_CODES,
  problem,
  sendAnswer,
  sendBody,
  sessionAnswer,
  verifyAnswer,
  verifyBody,
} from "../../src/http/contract.ts";

type Schema = z.core.JSONSchema.BaseSchema;

/**
 * The types of `src/http/contract.ts` as a client sees them, in plain TypeScript: the schemas are zod's, and whoever
 * installs the client package has no use for zod.
 *
 * @throws Error for a schema that has no plain type here
 */
export function wireTypes(): string {
  const types: [name: string, schema: z.ZodType, io: "input" | "output"][] = [
    ["SendRequest", sendBody, "input"],
    ["VerifyRequest", verifyBody, "input"],
    ["SendAnswer", sendAnswer, "output"],
    ["VerifyAnswer", verifyAnswer, "output"],
    ["SessionAnswer", sessionAnswer, "output"],
    ["Problem", problem, "output"],
    ["ProblemCode", z.enum(PROBLEM_CODES), "output"],
  ];
  return types
    .map(([name, schema, io]) => {
      const json = z.toJSONSchema(schema, { io });
      return `export type ${name} = ${typeOf(json, json.$defs ?? {}, "")};\n`;
    })
    .join("");
}

function typeOf(schema: Schema, definitions: Record<string, Schema>, indent: string): string {
  if (schema.$ref !== undefined) {
    const definition = definitions[schema.$ref.replace("#/$defs/", "")];
    if (definition !== undefined) return typeOf(definition, definitions, indent);
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) {
    const members = schema.anyOf.map((member) => typeOf(member as Schema, definitions, indent));
    return [...new Set(members)].join(" | ");
  }
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "integer":
    case "number":
      return "number";
    case "array":
      return `(${typeOf(schema.items as Schema, definitions, indent)})[]`;
    case "object":
      return objectType(schema, definitions, indent);
  }
  throw new Error(`no plain type for ${JSON.stringify(schema)}`);
}

function objectType(schema: Schema, definitions: Record<string, Schema>, indent: string): string {
  const inner = `${indent}  `;
  const required = new Set(schema.required);
  const members = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    if (typeof property === "boolean") throw new Error(`no plain type for ${name}`);
    const comment = property.description === undefined ? "" : `${inner}/** ${property.description}. */\n`;
    const type = typeOf(property, definitions, inner);
    const member = required.has(name) ? `${name}: ${type}` : `${name}?: ${type} | undefined`;
    return `${comment}${inner}${member};\n`;
  });
  return `{\n${members.join("")}${indent}}`;
}
