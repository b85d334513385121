import assert from "node:assert/strict";
import { onEachBinding, onceForAgent, streams as streaming } from "../conformance-case.ts";
import type { AgentContext, BindingContext, ConformanceCase } from "../conformance-case.ts";
import { errors, refuse, succeed } from "../expect.ts";
import { at } from "../json.ts";
import type { WireEvent } from "../shapes.ts";
import { canonical, collecting, completedTask, getTask, opened, say, stateOf, waitingTask } from "../talk.ts";
import type { Binding } from "../wire-client.ts";

/** Versions, extensions, and that the bindings are one agent (specification 3.6, 4.6, 5.1). */
export const negotiationCases: readonly ConformanceCase[] = [
  onEachBinding(
    "version.unsupported",
    {
      level: "MUST",
      spec: "3.6.2",
      title: "a version that is not spoken is VersionNotSupported",
      covers: ["VER-SERVER-002", "GRPC-ERR-002", "JSONRPC-SSE-002", "HTTP_JSON-STATUS-001"],
    },
    async (context) => {
      for (const version of ["99.0", "2.0"]) {
        refuse(await context.wire.call("SendMessage", say(context, "tck-complete-task"), { version }), errors.versionNotSupported);
      }
      refuse(await context.wire.call("ListTasks", {}, { version: "99.0" }), errors.versionNotSupported);
    },
  ),
  onEachBinding(
    "version.unsupported-stream",
    { level: "MUST", spec: "3.6.2", title: "a stream in a version that is not spoken is refused before it opens", when: streaming },
    async (context) => {
      refuse(await context.wire.open("SendStreamingMessage", say(context, "tck-stream-001"), { version: "99.0" }), errors.versionNotSupported);
    },
  ),
  onEachBinding(
    "version.patch",
    { level: "MUST", spec: "3.6", title: "a patch number makes no difference", covers: ["VER-CLIENT-002", "VER-SERVER-001"] },
    async (context) => {
      succeed(await context.wire.call("SendMessage", say(context, "tck-complete-task"), { version: "1.0.1" }));
    },
  ),
  onEachBinding(
    "extension.unknown",
    {
      level: "SHOULD",
      spec: "4.6.3",
      title: "extensions that the agent does not know are ignored",
      covers: ["JSONRPC-SVC-002", "HTTP_JSON-SVC-002", "GRPC-META-001"],
    },
    async (context) => {
      const extensions = [...context.capabilities.requiredExtensions, "https://example.com/ext/v1", "https://example.com/ext/v2"];
      succeed(await context.wire.call("SendMessage", say(context, "tck-complete-task"), { extensions }));
    },
  ),
  onEachBinding(
    "extension.required",
    {
      level: "MUST",
      spec: "3.3.4",
      title: "a message that does not declare a required extension is refused",
      covers: ["CORE-CAP-004"],
      when: (can) => can.requiredExtensions.length > 0,
    },
    async (context) => {
      for (const extensions of [[], ["https://example.com/ext/v1"]]) {
        refuse(await context.wire.call("SendMessage", say(context, "tck-complete-task"), { extensions }), errors.extensionSupportRequired);
        if (!context.capabilities.streaming) continue;
        refuse(await context.wire.open("SendStreamingMessage", say(context, "tck-stream-001"), { extensions }), errors.extensionSupportRequired);
      }
    },
  ),
  onceForAgent(
    "bindings.same-task",
    { level: "MUST", spec: "5.1", title: "a task made on one binding is the same task on all", covers: ["BIND-EQUIV-001", "BIND-EQUIV-002"] },
    async (context) => {
      const all = bindingsOf(context);
      for (const maker of all) {
        const { id } = await completedTask(maker);
        const seen = [];
        for (const viewer of all) seen.push(canonical(await getTask(viewer, id)));
        for (const view of seen) assert.deepEqual(view, seen[0]);
      }
    },
  ),
  onceForAgent(
    "bindings.same-conversation",
    {
      level: "MUST",
      spec: "5.1",
      title: "a follow-up on one binding is seen by subscribers on all",
      covers: ["BIND-EQUIV-002", "STREAM-ORDER-002"],
      when: streaming,
    },
    async (context) => {
      const all = bindingsOf(context);
      const [first] = all;
      assert.ok(first !== undefined);
      const { id } = await waitingTask(first);
      const streams = await Promise.all(all.map(async ({ wire }) => opened(await wire.open("SubscribeToTask", { id }))));
      try {
        const seen = streams.map((stream) => collecting(stream));
        await completedTask(all.at(-1) ?? first, { taskId: id });
        const events = await Promise.all(seen);
        for (const list of events) {
          assert.equal(list.map(stateOf).at(-1), "TASK_STATE_COMPLETED");
          assert.deepEqual(list.map(content), events[0]?.map(content));
        }
      } finally {
        for (const stream of streams) await stream[Symbol.asyncDispose]();
      }
    },
  ),
  onceForAgent(
    "bindings.same-refusals",
    { level: "MUST", spec: "5.1", title: "an error is the same error on all bindings", covers: ["BIND-EQUIV-003"] },
    async (context) => {
      for (const { wire } of bindingsOf(context)) {
        refuse(await wire.call("GetTask", { id: "no-such-task", historyLength: -1 }), errors.invalidParams);
        refuse(await wire.call("CancelTask", { id: "no-such-task" }), errors.taskNotFound);
      }
    },
  ),
  onceForAgent(
    "version.empty",
    {
      level: "MUST",
      spec: "3.6.2",
      title: "an empty version means 0.3: a 1.0 method gets a JSON-RPC answer that says what is wrong",
      covers: ["VER-SERVER-003"],
    },
    async (context) => {
      const { raw } = context;
      if (raw.jsonRpcUrl === undefined) return;
      const body = JSON.stringify({ jsonrpc: "2.0", id: 7, method: "SendMessage", params: say(context, "tck-complete-task") });
      for (const version of [{}, { "a2a-version": "" }]) {
        const { json } = await raw.request("POST", raw.jsonRpcUrl, { headers: { "content-type": "application/json", ...version }, body });
        assert.deepEqual([at(json, "jsonrpc"), at(json, "id")], ["2.0", 7]);
        assert.ok(at(json, "result") !== undefined || typeof at(json, "error", "message") === "string", JSON.stringify(json));
      }
    },
  ),
];

/** An event's content: what it says apart from metadata, which extensions may use differently on each binding. */
function content(event: WireEvent): unknown {
  const drop = (name: string, value: unknown): unknown => (name === "metadata" ? undefined : value);
  return canonical(JSON.parse(JSON.stringify(event, drop)));
}

/** The same context, with a client of each binding that the card declares. */
function bindingsOf(context: AgentContext): BindingContext[] {
  const all: readonly Binding[] = ["jsonrpc", "rest", "grpc"];
  return all.flatMap((binding) => {
    const wire = context.client(binding);
    return wire === undefined ? [] : [{ ...context, wire }];
  });
}
