import { z } from "zod";
import { checkJsonBody, type JsonLimits, parseJsonBody } from "../a2a/binding.ts";
import type { JsonObject } from "../model/a2a.ts";
import { IasError, invalidField } from "../model/errors.ts";
import { toFaults } from "../model/faults.ts";
import { decodeSegment, type Principal } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { Route, RouteReply, RouteRequest } from "../net/route.ts";
import { JSON_HEADERS, toErrorReply } from "./errors.ts";

/** One endpoint of the API: what the dispatcher validates by, and what `/api/openapi.json` is made from. `defineEndpoint` makes one. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "DELETE";
  /** Under `/api`, with parameters in braces: `/api/tasks/{task}`. */
  readonly path: string;
  /** Groups endpoints in the reference. */
  readonly tag: string;
  readonly summary: string;
  /** More than a line, in Markdown. */
  readonly about?: string;
  /** Query parameters: texts; each member's description is shown. */
  readonly query?: z.ZodObject;
  /** JSON that comes in; absent: none, or bytes that the handler reads itself. */
  readonly body?: z.ZodType;
  /** Bytes that come in, which the handler reads itself: as OpenAPI shows them. */
  readonly takes?: { readonly mediaType: string; readonly schema: JsonObject };
  /** JSON that goes out, or the media type of something else; `empty` says when there is nothing (204) instead. */
  readonly reply: z.ZodType | { readonly mediaType: string; readonly about: string; readonly empty?: string } | undefined;
  /** Of a success; 200 by default, 204 without `reply`. */
  readonly status?: number;
  /** `public`: no credentials are asked for. `operator`: only for callers with that role. Default: for every caller that is known. */
  readonly access?: "public" | "operator" | undefined;
  handle(request: EndpointRequest): Promise<RouteReply>;
}

/** A request whose caller is known and whose parts are valid. */
export interface EndpointRequest<Path extends string = string, Query = unknown, Body = unknown> {
  readonly params: Readonly<Record<ParamOf<Path>, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Throws for endpoints of public access. */
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly raw: RouteRequest;
}

type ParamOf<Path extends string> = string extends Path ? string : Path extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamOf<Rest> : never;

/** What a handler of `defineEndpoint` gives: JSON, with headers where it needs some. */
export interface Answer<T> {
  readonly body: T;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What may go out: contracts are read only, schemas infer what is not. */
type Readable<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer One)[]
    ? readonly Readable<One>[]
    : string extends keyof T
      ? T
      : { readonly [Key in keyof T]: Readable<T[Key]> };

interface Definition<Path extends string, Query extends z.ZodObject, Body extends z.ZodType> extends Omit<
  Endpoint,
  "handle" | "query" | "body" | "path" | "reply"
> {
  readonly path: Path;
  readonly query?: Query;
  readonly body?: Body;
}

/** Of an endpoint without query parameters: nobody looks at them. */
type NoQuery = z.ZodObject<Record<string, z.ZodUnknown>>;

/** An endpoint that answers with JSON of its schema, or with nothing (204) where it has none. */
export function defineEndpoint<
  const Path extends string,
  Query extends z.ZodObject = NoQuery,
  Body extends z.ZodType = z.ZodUndefined,
  Reply extends z.ZodType = z.ZodUndefined,
>(
  endpoint: Definition<Path, Query, Body> & {
    readonly reply?: Reply;
    readonly handle: (request: EndpointRequest<Path, z.infer<Query>, z.infer<Body>>) => Promise<Answer<Readable<z.infer<Reply>>>>;
  },
): Endpoint {
  const { handle, ...rest } = endpoint;
  return {
    ...rest,
    reply: endpoint.reply,
    async handle(request) {
      const {
        body,
        headers,
        status = endpoint.status ?? (endpoint.reply === undefined ? 204 : 200),
      } = await handle(request as EndpointRequest<Path, z.infer<Query>, z.infer<Body>>);
      return { kind: "whole", status, headers: { ...JSON_HEADERS, ...headers }, body: body === undefined ? "" : JSON.stringify(body) };
    },
  };
}

/** An endpoint that answers with something other than JSON: events, a page, a file. */
export function defineRawEndpoint<const Path extends string, Query extends z.ZodObject = NoQuery, Body extends z.ZodType = z.ZodUndefined>(
  endpoint: Definition<Path, Query, Body> & {
    readonly reply: Endpoint["reply"];
    readonly handle: (request: EndpointRequest<Path, z.infer<Query>, z.infer<Body>>) => Promise<RouteReply>;
  },
): Endpoint {
  const { handle, ...rest } = endpoint;
  return { ...rest, handle: (request) => handle(request as EndpointRequest<Path, z.infer<Query>, z.infer<Body>>) };
}

/** What the dispatcher stands on. */
export interface DispatchOptions {
  readonly limits: Pick<Limits, "maxJsonDepth" | "maxJsonValues" | "maxIdLength">;
  readonly report: (error: IasError) => void;
  /** Throws `limit-reached` for a caller that asks too often: before it is known (by its address), and after. */
  readonly admit?: (request: RouteRequest, principal?: Principal) => void;
}

/**
 * One route over endpoints: finds the endpoint, admits the caller, validates, and puts every error into the API's form (`ApiError`). undefined for paths outside
 * `/api`; what is under it and no endpoint is `not-found` (so other routes under `/api` stand before it).
 */
export function createApiRoute(endpoints: readonly Endpoint[], options: DispatchOptions): Route {
  const table = endpoints.map((endpoint) => ({ endpoint, match: matcher(endpoint.path) }));
  return async (request) => {
    const path = request.url.pathname;
    if (path !== "/api" && !path.startsWith("/api/")) return undefined;
    try {
      options.admit?.(request);
      const method = request.method === "HEAD" ? "GET" : request.method;
      const found = table.flatMap(({ endpoint, match }) => {
        const params = match(path);
        return params === undefined ? [] : [{ endpoint, params }];
      });
      const chosen = found.find(({ endpoint }) => endpoint.method === method);
      if (chosen === undefined)
        return refuse(
          path,
          request.method,
          found.map(({ endpoint }) => endpoint.method),
        );
      return await run(chosen.endpoint, chosen.params, request, options);
    } catch (error) {
      const known = IasError.from(error);
      if (known.code === "internal") options.report(known);
      return toErrorReply(known);
    }
  };
}

function refuse(path: string, method: string, allowed: readonly string[]): RouteReply {
  if (allowed.length > 0) {
    const allow = [...new Set(allowed)].join(", ");
    return toErrorReply(new IasError("method-not-found", `${path.slice(0, 100)} takes ${allow}, not ${method.slice(0, 20)}.`), {
      status: 405,
      headers: { allow },
    });
  }
  return toErrorReply(new IasError("not-found", `There is nothing at ${path.slice(0, 100)}. The endpoints are described at /api/.`));
}

async function run(endpoint: Endpoint, params: Readonly<Record<string, string>>, raw: RouteRequest, options: DispatchOptions): Promise<RouteReply> {
  const principal = endpoint.access === "public" ? undefined : await raw.principal();
  if (principal !== undefined) options.admit?.(raw, principal);
  if (principal !== undefined && endpoint.access === "operator") checkOperator(principal, `${endpoint.method} ${endpoint.path} is`);
  checkParams(params, options.limits.maxIdLength);
  const query = endpoint.query === undefined ? readQuery(z.object({}), raw.url) : readQuery(endpoint.query, raw.url);
  const body = endpoint.body === undefined ? undefined : await readJson(endpoint.body, raw, options.limits);
  return endpoint.handle({
    params,
    query,
    body,
    signal: raw.signal,
    raw,
    get principal() {
      if (principal === undefined) throw new IasError("internal", `${endpoint.path} is of public access and knows no caller.`);
      return principal;
    },
  });
}

/** Throws `forbidden` (OPERATOR_ONLY) for callers without the role; `what` begins the sentence, with its verb. For endpoints of which only a part takes it: see `access`. */
export function checkOperator({ roles = [] }: Principal, what: string): void {
  if (roles.includes("operator")) return;
  throw new IasError("forbidden", `${what} for callers with the role operator.`, { reason: "OPERATOR_ONLY" });
}

/** Matches a path against a template; the parameters, decoded. `{rest}` stands for one segment. */
function matcher(template: string): (path: string) => Readonly<Record<string, string>> | undefined {
  const parts = template.split("/");
  return (path) => {
    const given = path.split("/");
    if (given.length !== parts.length) return undefined;
    const params: Record<string, string> = {};
    for (const [index, part] of parts.entries()) {
      const value = given[index] ?? "";
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name === undefined) {
        if (part !== value) return undefined;
      } else if (value === "") return undefined;
      else params[name] = decodeSegment(value);
    }
    return params;
  };
}

function checkParams(params: Readonly<Record<string, string>>, maxLength: number): void {
  for (const [field, value] of Object.entries(params)) {
    if (value.length > maxLength || !value.isWellFormed()) throw invalidField(field, `must be text of at most ${maxLength} characters (maxIdLength)`);
  }
}

/** One-time tickets authenticate; they are no parameter of an endpoint. */
const TICKET = "ticket";

/** Query parameters by their schema; one that is given twice counts as a list with commas. An unknown one is refused: it would be a filter that does nothing. */
function readQuery(schema: z.ZodObject, url: URL): unknown {
  const names = [...new Set(url.searchParams.keys())].filter((name) => name !== TICKET);
  const given = Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name).join(",")]));
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const description = known.length === 0 ? "is unknown; no query parameters are taken here" : `is unknown; there are ${known.join(", ")}`;
    const fields = unknown.slice(0, 5).map((field) => ({ field: field.slice(0, 50), description }));
    throw new IasError("invalid-params", `The query parameter ${fields.map(({ field }) => field).join(", ")} ${description}.`, { fields });
  }
  return parse(schema, given);
}

async function readJson(schema: z.ZodType, raw: RouteRequest, limits: JsonLimits): Promise<unknown> {
  const body = await raw.body();
  checkJsonBody({ header: (name) => raw.header(name), body });
  return parse(schema, body.length === 0 ? undefined : parseJsonBody(body, limits));
}

/** `value` in the shape of `schema`. Throws `invalid-params` that names each field at fault and what is right. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = toFaults(parsed.error.issues, "body");
  throw new IasError("invalid-params", `${fields.map(({ field, description }) => `${field} ${description}`).join("; ")}.`, { fields });
}
