import type { Json, JsonObject, Part } from "../../../src/lib/model/a2a.ts";
import { isObject } from "../../../src/lib/model/json.ts";
import type { Approval, FormSchema } from "./blocks.ts";

/** Answers to approvals in a part of a person's message (PROTOCOL.md, META-3). */
export function approvalsIn(part: Part): readonly { readonly call: string; readonly approve: boolean }[] {
  const list = fieldsOf(part.data)["approvals"];
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[])
    .map(fieldsOf)
    .flatMap(({ call, approve }) => (typeof call === "string" && typeof approve === "boolean" ? [{ call, approve }] : []));
}

/** What a part of an agent's status asks for: approvals, or a form by JSON Schema, alone or as `schema`, `form` or `requestedSchema` (MCP's elicitation). */
export function askedIn(
  part: Part,
): { readonly kind: "approvals"; readonly approvals: readonly Approval[] } | { readonly kind: "form"; readonly schema: FormSchema } | undefined {
  const data = fieldsOf(part.data);
  const list = data["approvals"];
  if (Array.isArray(list)) {
    const approvals = (list as readonly Json[]).map(fieldsOf).flatMap(({ call, name, arguments: given }) => {
      const text = given === undefined ? "" : typeof given === "string" ? given : JSON.stringify(given);
      return typeof call === "string" ? [{ call, name: typeof name === "string" ? name : call, arguments: text }] : [];
    });
    return { kind: "approvals", approvals };
  }
  const schema = [data["requestedSchema"], data["schema"], data["form"], data]
    .map(fieldsOf)
    .find((one) => one["type"] === "object" && isObject(one["properties"]));
  if (schema === undefined) return undefined;
  const { title, description, required } = schema;
  return {
    kind: "form",
    schema: {
      ...(typeof title === "string" && { title }),
      ...(typeof description === "string" && { description }),
      properties: Object.fromEntries(Object.entries(fieldsOf(schema["properties"])).map(([name, property]) => [name, fieldsOf(property)])),
      required: Array.isArray(required) ? (required as readonly Json[]).filter((name) => typeof name === "string") : [],
    },
  };
}

/** An object's members; none of anything else. */
function fieldsOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
