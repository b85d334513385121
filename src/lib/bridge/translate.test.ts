import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Message, StreamResponse, TaskState } from "../model/a2a.ts";
import type { Audience } from "../model/entry.ts";
import { type ExtensionData, toMetadata } from "../model/extension.ts";
import type { BridgeEvent } from "./bridge-event.ts";
import { createTranslator, type TranslatorOptions } from "./translate.ts";

const ids = { taskId: "t", contextId: "c" };

type Step = { readonly audience: Audience; readonly event: StreamResponse };

function text(text: string, append: boolean, artifactId = "answer"): Step {
  return { audience: "public", event: { artifactUpdate: { ...ids, artifact: { artifactId, parts: [{ text }] }, append } } };
}

function aside(data: ExtensionData): Step {
  return { audience: "extension", event: { statusUpdate: { ...ids, status: { state: "TASK_STATE_WORKING" }, metadata: toMetadata(data) } } };
}

function status(state: TaskState, said?: Message["parts"], data?: ExtensionData): Step {
  const message = said && { messageId: "m", role: "ROLE_AGENT" as const, parts: said };
  const metadata = data && { metadata: toMetadata(data) };
  return { audience: "public", event: { statusUpdate: { ...ids, status: { state, ...(message && { message }) }, ...metadata } } };
}

/** What each step says, from entry 1 on. */
function translate(steps: readonly Step[], options: TranslatorOptions = { rolls: false }): readonly (readonly BridgeEvent[])[] {
  const translator = createTranslator(options);
  return steps.map(({ audience, event }, at) => translator.next({ seq: at + 1, audience }, event));
}

/** As a line, to read. */
function lines(events: readonly (readonly BridgeEvent[])[]): readonly string[] {
  return events.flat().map((event) => {
    if (event.kind === "end") return `end ${event.end.outcome}`;
    const { kind, ...rest } = event;
    return [kind, "id" in rest ? rest.id : "", "delta" in rest ? rest.delta : "", "child" in rest ? `by ${rest.child}` : ""]
      .filter((word) => word !== "")
      .join(" ");
  });
}

describe("translate", () => {
  it("says each piece of text at once, and closes its block before anything else", () => {
    const told = translate([
      status("TASK_STATE_WORKING"),
      text("a", false),
      text("b", true),
      aside({ kind: "reasoning", text: "hm", size: 2 }),
      aside({ kind: "tool-call", call: "c", name: "f", idempotent: true }),
      text("c", true),
      text("other", false, "report"),
      status("TASK_STATE_COMPLETED"),
      text("late", true),
    ]);
    assert.deepEqual(
      told.map((events) => events.length),
      [0, 2, 1, 3, 2, 2, 3, 2, 0],
    );
    assert.deepEqual(lines(told), [
      "text-start text-1",
      "text text-1 a",
      "text text-1 b",
      "text-end text-1",
      "reasoning-start reasoning-2",
      "reasoning reasoning-2 hm",
      "reasoning-end reasoning-2",
      "tool-call c",
      "text-start text-3",
      "text text-3 c",
      "text-end text-3",
      "text-start text-4",
      "text text-4 other",
      "text-end text-4",
      "end completed",
    ]);
  });

  it("keeps children apart, and ends each invocation when its caller goes on", () => {
    const helper = { path: ["helper"] };
    const told = translate([
      aside({ kind: "text", text: "one", ...helper }),
      aside({ kind: "text", text: "deep", path: ["helper", "deeper"] }),
      aside({ kind: "text", text: "two", ...helper }),
      aside({ kind: "tool-result", call: "c", name: "ask", failed: false }),
      aside({ kind: "tool-call", call: "c", name: "dig", idempotent: true, ...helper }),
      text("so", false),
    ]);
    assert.deepEqual(lines(told), [
      "child-start helper#1",
      "text-start text-1 by helper#1",
      "text text-1 one by helper#1",
      "child-start helper/deeper#1",
      "text-start text-2 by helper/deeper#1",
      "text text-2 deep by helper/deeper#1",
      "text text-1 two by helper#1",
      "text-end text-2 by helper/deeper#1",
      "child-end helper/deeper#1",
      "text-end text-1 by helper#1",
      "child-end helper#1",
      "tool-result c",
      "child-start helper#2",
      "tool-call helper/c by helper#2",
      "child-end helper#2",
      "text-start text-3",
      "text text-3 so",
    ]);
  });

  it("ends where a new attempt or a replacement voids what was said, and not where nothing was", () => {
    const attempt = aside({ kind: "attempt", attempt: 2, reason: "r" });
    assert.deepEqual(lines(translate([text("a", false), attempt, text("", false), text("b", false)])).slice(2), ["text-end text-1", "end superseded"]);
    assert.deepEqual(lines(translate([attempt, text("before the turn", false), status("TASK_STATE_WORKING"), text("b", false)])), [
      "text-start text-1",
      "text text-1 b",
    ]);
    assert.deepEqual(lines(translate([text("a", false), text("b", false)])).slice(2), ["text-end text-1", "end superseded"]);
    assert.deepEqual(lines(translate([text("a", false), text("b", false)], { rolls: true })).slice(2), ["text text-1 b"]);
  });

  it("pauses where a task waited and went on, and ends where it waits", () => {
    const approvals = [{ call: "c", name: "pay", arguments: "{}" }];
    const asks = status("TASK_STATE_INPUT_REQUIRED", [{ text: "May I?" }, { data: { approvals } }]);
    assert.deepEqual(lines(translate([text("a", false), asks, status("TASK_STATE_WORKING"), asks], { rolls: false, pausesUntil: 2 })), [
      "text-start text-1",
      "text text-1 a",
      "text-end text-1",
      "pause",
      "end input",
    ]);
    assert.deepEqual(translate([asks]).flat().at(-1), {
      kind: "end",
      end: { outcome: "input", message: "May I?", approvals: [{ id: "c", name: "pay", arguments: "{}" }] },
    });
  });

  it("says a question in words that was answered elsewhere, and goes on", () => {
    const question = status("TASK_STATE_INPUT_REQUIRED", [{ text: "Who?" }]);
    assert.deepEqual(lines(translate([question, status("TASK_STATE_WORKING"), text("Ada", false)], { rolls: false, pausesUntil: 1 })), [
      "text-start text-1",
      "text text-1 Who?",
      "text-end text-1",
      "pause",
      "text-start text-2",
      "text text-2 Ada",
    ]);
  });

  it("stays open where the user must authorise something, and takes back nothing from before that", () => {
    const told = translate([
      text("a", false),
      status("TASK_STATE_AUTH_REQUIRED", [{ text: "Sign in" }]),
      status("TASK_STATE_SUBMITTED"),
      status("TASK_STATE_WORKING"),
      aside({ kind: "attempt", attempt: 2, reason: "stopped" }),
      status("TASK_STATE_WORKING"),
      text("new", false),
      status("TASK_STATE_AUTH_REQUIRED"),
      status("TASK_STATE_CANCELED"),
    ]).flat();
    assert.deepEqual(
      told.filter(({ kind }) => kind === "auth"),
      [
        { kind: "auth", id: "auth-3", message: "Sign in", waits: true },
        { kind: "auth", id: "auth-3", message: "Sign in", waits: false },
        { kind: "auth", id: "auth-5", message: "", waits: true },
        { kind: "auth", id: "auth-5", message: "", waits: false },
      ],
    );
    assert.deepEqual(told.at(-1), { kind: "end", end: { outcome: "canceled" } });
  });

  it("tells why a task failed, in words and by code", () => {
    const failure: ExtensionData = { kind: "failure", code: "engine-failed", reason: "MODEL_STREAM_CUT", retryable: true };
    assert.deepEqual(translate([status("TASK_STATE_FAILED", [{ text: "It was cut." }], failure)]).flat(), [
      { kind: "end", end: { outcome: "failed", code: "MODEL_STREAM_CUT", message: "It was cut.", retryable: true } },
    ]);
    assert.deepEqual(translate([status("TASK_STATE_REJECTED")]).flat(), [
      { kind: "end", end: { outcome: "failed", code: "rejected", message: "The agent refused the task.", retryable: false } },
    ]);
  });

  it("shows no entry that is internal", () => {
    assert.deepEqual(translate([{ ...aside({ kind: "reasoning", text: "secret", size: 6 }), audience: "internal" }]), [[]]);
  });
});
