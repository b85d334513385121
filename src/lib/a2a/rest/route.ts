import type { Json, JsonObject } from "../../model/a2a.ts";
import { IasError, invalidField } from "../../model/errors.ts";
import type { Operations } from "../operations.ts";
import { readQuery } from "./query.ts";

/** The operation that a request asks for, with the parameters that its path and query hold. */
export interface RestMatch {
  readonly kind: "operation";
  readonly operation: keyof Operations;
  readonly params: JsonObject;
  /** Names of parameters that the path holds. */
  readonly inPath: readonly string[];
  /** Whether a body adds to the parameters. A stream's and a cancel's may be empty. */
  readonly takesBody: boolean;
}

/** A path or a method that the binding does not have; `status` and `headers` are HTTP's own (404, or 405 with `allow`). */
export interface RestMiss {
  readonly kind: "miss";
  readonly error: IasError;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

type Methods = Readonly<Record<string, keyof Operations>>;

interface Resource {
  readonly methods: Methods;
  readonly params: JsonObject;
  /** What stands after an id's colon and is no verb: with GET it is of the id, other methods mean an operation that there is not. */
  readonly unknownVerb?: string;
}

const OPERATIONS_WITH_BODY: ReadonlySet<keyof Operations> = new Set<keyof Operations>([
  "sendMessage",
  "sendStreamingMessage",
  "cancelTask",
  "subscribeToTask",
  "createTaskPushNotificationConfig",
]);

/**
 * Finds the operation of an HTTP+JSON request (A2A 1.0.1, section 11.3 and the proto's annotations). `path` begins after the interface's URL;
 * a first segment before the resource is the tenant. SubscribeToTask answers to GET (proto) and POST (text). A trailing slash does no harm.
 */
export function matchRest(method: string, path: string, query: URLSearchParams): RestMatch | RestMiss {
  const segments = decodeSegments(path);
  if (segments === undefined) return miss(400, "invalid-request", `The path ${JSON.stringify(path)} has a broken percent-encoding.`);
  const candidates = [findResource(segments), withTenant(segments)].filter((resource) => resource !== undefined);
  for (const { methods, params } of candidates) {
    const operation = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (operation !== undefined)
      return {
        kind: "operation",
        operation,
        params: { ...readQuery(query), ...params },
        inPath: Object.keys(params),
        takesBody: method === "POST" && OPERATIONS_WITH_BODY.has(operation),
      };
  }
  const [known] = candidates;
  if (known === undefined)
    return miss(
      404,
      "method-not-found",
      `There is no ${method} ${path} here. Resources: /message:send, /message:stream, /tasks, /tasks/{id}, /extendedAgentCard.`,
    );
  if (known.unknownVerb !== undefined)
    return miss(404, "method-not-found", `A task has no operation ${JSON.stringify(known.unknownVerb)}; it has :cancel and :subscribe.`);
  const allow = Object.keys(known.methods).join(", ");
  return { ...miss(405, "method-not-found", `${path} does not take ${method}; it takes ${allow}.`), headers: { allow } };
}

/**
 * Path and query parameters with a body's members, which they go before. `invalid-params`: a body that is not an object, or that says something else
 * than the path does.
 */
export function withBody(match: RestMatch, body: unknown): JsonObject {
  if (!match.takesBody || body === undefined || body === null) return match.params;
  if (typeof body !== "object" || Array.isArray(body)) throw new IasError("invalid-params", "The body must be a JSON object.");
  const members = body as { readonly [member: string]: Json };
  for (const [member, value] of Object.entries(members)) {
    const name = toCamel(member);
    // Proto3 strings have no absence: "" means not given.
    if (!match.inPath.includes(name) || value === null || value === "" || value === match.params[name]) continue;
    throw invalidField(name, `is ${JSON.stringify(value).slice(0, 100)} in the body, but ${JSON.stringify(match.params[name]).slice(0, 100)} in the path`);
  }
  const named = new Set(Object.keys(match.params));
  // `task_id` beside the path's `taskId` would be a second name of the same field.
  const kept = Object.entries(members).filter(([name]) => !named.has(toCamel(name)));
  return { ...Object.fromEntries(kept), ...match.params };
}

function miss(status: number, code: "method-not-found" | "invalid-request", message: string): RestMiss {
  return { kind: "miss", error: new IasError(code, message), status, headers: {} };
}

function withTenant(segments: readonly Segment[]): Resource | undefined {
  const [tenant, ...rest] = segments;
  const resource = tenant === undefined || tenant.text === "" ? undefined : findResource(rest);
  return resource && { ...resource, params: { ...resource.params, tenant: tenant?.text ?? "" } };
}

function findResource(segments: readonly Segment[]): Resource | undefined {
  const [first, task, collection, config] = segments;
  if (first === undefined) return undefined;
  if (task === undefined) return ROOTS.get(first.raw);
  if (first.raw !== "tasks" || segments.length > 4 || task.text === "") return undefined;
  if (collection === undefined) return findTask(task);
  if (collection.raw !== "pushNotificationConfigs" || config?.text === "") return undefined;
  return config === undefined
    ? { methods: { GET: "listTaskPushNotificationConfigs", POST: "createTaskPushNotificationConfig" }, params: { taskId: task.text } }
    : { methods: { GET: "getTaskPushNotificationConfig", DELETE: "deleteTaskPushNotificationConfig" }, params: { taskId: task.text, id: config.text } };
}

const ROOTS: ReadonlyMap<string, Resource> = new Map<string, Resource>([
  ["message:send", { methods: { POST: "sendMessage" }, params: {} }],
  ["message:stream", { methods: { POST: "sendStreamingMessage" }, params: {} }],
  ["tasks", { methods: { GET: "listTasks" }, params: {} }],
  ["extendedAgentCard", { methods: { GET: "getExtendedAgentCard" }, params: {} }],
]);

/** A task or one of its verbs. The verb is what follows the last colon as it was sent, so that an id may hold a percent-encoded one. */
function findTask(task: Segment): Resource | undefined {
  const match = /^(.+):(cancel|subscribe)$/.exec(task.raw);
  const id = match?.[1] === undefined ? undefined : decodeSegment(match[1]);
  if (match === null || id === undefined) {
    const colon = task.raw.lastIndexOf(":");
    return { methods: { GET: "getTask" }, params: { id: task.text }, ...(colon > 0 && { unknownVerb: task.raw.slice(colon) }) };
  }
  return { methods: match[2] === "cancel" ? { POST: "cancelTask" } : { GET: "subscribeToTask", POST: "subscribeToTask" }, params: { id } };
}

interface Segment {
  /** As it was sent. */
  readonly raw: string;
  /** Decoded. */
  readonly text: string;
}

function decodeSegments(path: string): readonly Segment[] | undefined {
  const segments: Segment[] = [];
  for (const raw of path.replace(/^\//, "").replace(/\/$/, "").split("/")) {
    const text = decodeSegment(raw);
    if (text === undefined) return undefined;
    segments.push({ raw, text });
  }
  return segments;
}

function decodeSegment(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function toCamel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
