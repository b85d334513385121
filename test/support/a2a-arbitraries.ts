import fc from "fast-check";
import type { Artifact, Json, JsonObject, Message, Part, StreamResponse, Task, TaskState, TaskStatus } from "../../src/lib/model/a2a.ts";

/** Arbitrary A2A 1.0 values for property tests: what this project may write, so required fields are there and optional ones are absent or not empty. */

const STATES: readonly TaskState[] = [
  "TASK_STATE_SUBMITTED",
  "TASK_STATE_WORKING",
  "TASK_STATE_COMPLETED",
  "TASK_STATE_FAILED",
  "TASK_STATE_CANCELED",
  "TASK_STATE_INPUT_REQUIRED",
  "TASK_STATE_REJECTED",
  "TASK_STATE_AUTH_REQUIRED",
];

const text = fc.string({ unit: "grapheme" });
const name = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
/** JSON as it is on the wire (no -0), without the name that assignments take for the prototype. */
const json = fc
  .jsonValue({ depthSize: "small" })
  .map((value) => JSON.stringify(value))
  .filter((value) => !value.includes("__proto__"))
  .map((value) => JSON.parse(value) as Json);
const object = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), json, { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<JsonObject>;
const metadata = object.filter((value) => Object.keys(value).length > 0 && !Object.hasOwn(value, "__proto__"));
const texts = fc.array(name, { minLength: 1, maxLength: 3 });
const base64 = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const time = fc.date({ min: new Date("2020-01-01"), max: new Date("2040-01-01"), noInvalidDate: true }).map((date) => date.toISOString());

/** Parts of all four kinds. */
export const parts: fc.Arbitrary<Part> = fc.oneof(
  optional({ text }, { metadata, mediaType: name }),
  optional({ raw: base64 }, { metadata, mediaType: name, filename: name }),
  optional({ url: fc.webUrl() }, { metadata, mediaType: name, filename: name }),
  optional({ data: json }, { metadata }),
);

export const messages: fc.Arbitrary<Message> = optional(
  { messageId: name, role: fc.constantFrom("ROLE_USER", "ROLE_AGENT"), parts: fc.array(parts, { minLength: 1, maxLength: 3 }) },
  { contextId: name, taskId: name, metadata, extensions: texts, referenceTaskIds: texts },
);

export const statuses: fc.Arbitrary<TaskStatus> = optional({ state: fc.constantFrom(...STATES) }, { message: messages, timestamp: time });

export const artifacts: fc.Arbitrary<Artifact> = optional(
  { artifactId: name, parts: fc.array(parts, { minLength: 1, maxLength: 3 }) },
  { name, description: name, metadata, extensions: texts },
);

export const tasks: fc.Arbitrary<Task> = optional(
  { id: name, contextId: name, status: statuses },
  { artifacts: fc.array(artifacts, { minLength: 1, maxLength: 2 }), history: fc.array(messages, { minLength: 1, maxLength: 2 }), metadata },
);

export const streamResponses: fc.Arbitrary<StreamResponse> = fc.oneof(
  fc.record({ task: tasks }),
  fc.record({ message: messages }),
  fc.record({ statusUpdate: optional({ taskId: name, contextId: name, status: statuses }, { metadata }) }),
  fc.record({ artifactUpdate: optional({ taskId: name, contextId: name, artifact: artifacts }, { append: fc.boolean(), lastChunk: fc.boolean(), metadata }) }),
);

type Arbitraries<T> = { [K in keyof T]: fc.Arbitrary<T[K]> };

/** A record with all of `required` and any of `more`. */
function optional<Required extends object, More extends object>(
  required: Arbitraries<Required>,
  more: Arbitraries<More>,
): fc.Arbitrary<Required & Partial<More>> {
  return fc.record({ ...required, ...more }, { requiredKeys: Object.keys(required) as never, noNullPrototype: true }) as unknown as fc.Arbitrary<
    Required & Partial<More>
  >;
}
