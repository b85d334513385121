import { z } from "zod";
import type { Json, JsonObject } from "../model/a2a.ts";
import { defineRawEndpoint, type Endpoint } from "./endpoint.ts";
import { JSON_HEADERS } from "./errors.ts";
import { referencePage } from "./reference-page.ts";
import { SCHEMAS } from "./schemas.ts";

/** Where components are referred to. */
const COMPONENTS = "#/components/schemas/";

/** OpenAPI 3.1 of endpoints, made from what validates them. */
function toOpenApi(endpoints: readonly Endpoint[], info: { readonly version: string }): JsonObject {
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of endpoints) {
    const { path, method } = endpoint;
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(endpoint) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Infinite Agent Streams",
      version: info.version,
      description:
        "The HTTP API of frontends. Times are ms since the epoch, sizes bytes. Every error is an `ApiError`. Streams are server-sent events that a browser's own `EventSource` resumes; the same streams come over the WebSocket `/api/ws`.",
    },
    paths,
    components: { schemas: components(), securitySchemes: SECURITY },
    security: [...CALLERS, {}],
  };
}

/** Ways to say who calls, on any request. */
const CALLERS: readonly JsonObject[] = [{ bearer: [] }, { apiKey: [] }, { session: [] }];

const SECURITY: JsonObject = {
  bearer: { type: "http", scheme: "bearer", description: "An API key or a token, where the server asks for one" },
  apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
  session: { type: "apiKey", in: "cookie", name: "ias_session", description: "Of POST /api/session; the name has the log's id behind it" },
  ticket: { type: "apiKey", in: "query", name: "ticket", description: "One-time, of POST /api/tickets, on a GET" },
};

function components(): JsonObject {
  const { schemas } = z.toJSONSchema(SCHEMAS, { uri: (id) => `${COMPONENTS}${id}`, io: "output", unrepresentable: "any" }) as unknown as {
    schemas: Record<string, JsonObject>;
  };
  return Object.fromEntries(
    Object.entries(schemas).map(([id, made]) => {
      const { $schema: _, $id: __, ...schema } = made;
      const named = SCHEMAS._idmap.get(id);
      const description = named && SCHEMAS.get(named)?.description;
      return [id, { ...(description !== undefined && { description }), ...schema }];
    }),
  );
}

function operation(endpoint: Endpoint): JsonObject {
  const { path, method, query, body, takes, reply, status = reply === undefined ? 204 : 200 } = endpoint;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  return {
    operationId: operationId(method, path),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...describe(endpoint),
    ...security(endpoint),
    parameters: [...inPath, ...(query === undefined ? [] : queryParameters(query))],
    ...(body !== undefined && { requestBody: { required: true, content: { "application/json": { schema: toSchema(body, "input") } } } }),
    ...(takes !== undefined && { requestBody: { required: true, content: { [takes.mediaType]: { schema: takes.schema } } } }),
    responses: {
      [String(status)]: { description: "As asked", ...contentOf(reply) },
      ...(reply !== undefined && "empty" in reply && { "204": { description: reply.empty } }),
      default: { description: "An error", content: { "application/json": { schema: { $ref: `${COMPONENTS}ApiError` } } } },
    },
  };
}

const FOR_OPERATORS = "For callers with the role `operator`.";

function describe({ about, access }: Endpoint): JsonObject {
  const said = [...(about === undefined ? [] : [about]), ...(access === "operator" ? [FOR_OPERATORS] : [])];
  return said.length === 0 ? {} : { description: said.join(" ") };
}

/** Who may call, where it is not what the document says for all. */
function security({ method, access }: Endpoint): JsonObject {
  if (access === "public") return { security: [{}] };
  if (method !== "GET" && access === undefined) return {};
  // OpenAPI 3.1: what stands in the list of such a scheme are the roles that are needed.
  const roles = access === undefined ? [] : [access];
  const ways = [...CALLERS, ...(method === "GET" ? [{ ticket: [] }] : [])];
  return { security: [...ways.map((way) => Object.fromEntries(Object.keys(way).map((scheme) => [scheme, roles]))), {}] };
}

/** A name for generated clients: `getTasksTaskEvents`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^a-z0-9]+/i).filter((word) => word !== "" && word !== "api");
  return [method.toLowerCase(), ...words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))].join("");
}

function contentOf(reply: Endpoint["reply"]): JsonObject {
  if (reply === undefined) return {};
  if (reply instanceof z.ZodType) return { content: { "application/json": { schema: toSchema(reply, "output") } } };
  return { content: { [reply.mediaType]: { schema: { type: "string", description: reply.about } } } };
}

function queryParameters(query: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = toSchema(query, "input") as { properties?: Record<string, JsonObject>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

/** A schema in place; what has a name is referred to. */
function toSchema(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const id = SCHEMAS.get(schema)?.id;
  if (id !== undefined) return { $ref: `${COMPONENTS}${id}` };
  const { $schema: _, $defs: __, ...made } = z.toJSONSchema(schema, { metadata: SCHEMAS, io, unrepresentable: "any" }) as JsonObject;
  return JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', `"${COMPONENTS}`)) as JsonObject;
}

/** `/api/openapi.json`, and the page at `/api/` that says the same to people. They describe themselves too. */
export function createReferenceEndpoints(endpoints: readonly Endpoint[], info: { readonly version: string }): readonly Endpoint[] {
  const all: readonly Endpoint[] = [
    ...endpoints,
    defineRawEndpoint({
      method: "GET",
      path: "/api/openapi.json",
      tag: "Reference",
      summary: "This API as OpenAPI 3.1",
      access: "public",
      reply: { mediaType: "application/json", about: "OpenAPI 3.1" },
      handle: async () => ({ kind: "whole", status: 200, headers: { ...JSON_HEADERS, "cache-control": "no-cache" }, body: document().json }),
    }),
    ...["/api/", "/api"].map((path) =>
      defineRawEndpoint({
        method: "GET",
        path,
        tag: "Reference",
        summary: "The same as a page",
        access: "public",
        reply: { mediaType: "text/html", about: "A page without scripts" },
        handle: async () => ({ kind: "whole", ...document().page }),
      }),
    ),
  ];
  let made: { readonly json: string; readonly page: ReturnType<typeof referencePage> } | undefined;
  /** Made when somebody looks: most servers' never are. */
  const document = (): NonNullable<typeof made> => {
    const openApi = toOpenApi(
      all.filter(({ path }) => path !== "/api"),
      info,
    );
    return (made ??= { json: JSON.stringify(openApi), page: referencePage(openApi) });
  };
  return all;
}
