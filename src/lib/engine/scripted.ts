import { setTimeout as wait } from "node:timers/promises";
import type { Message } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { AgentEvent, Engine, Turn } from "./engine.ts";
import { toEvents } from "./to-events.ts";
import { untilAborted } from "./until-aborted.ts";

/** What a scripted agent does: a function of the turn, or a list of steps. */
export type Script = ScriptFunction | readonly ScriptStep[];

/** A turn in code. Its events pass as they are; the engine ends it at once when `signal` aborts, even if it hangs. */
export type ScriptFunction = (turn: Turn, options: { readonly signal: AbortSignal }) => AsyncIterable<AgentEvent>;

/** A turn as data: any agent event, or one of the steps that make a few of them. */
export type ScriptStep =
  | AgentEvent
  /** Streams `text` token by token (a word with the space after it), `tokenMs` apart. */
  | { readonly kind: "say"; readonly text: string; readonly artifact?: string }
  /** Says what the user said: the text parts of this turn's input, after `prefix`. */
  | { readonly kind: "echo"; readonly prefix?: string }
  /** Waits, in ms. */
  | { readonly kind: "pause"; readonly ms: number }
  /** Ends the turn in INPUT_REQUIRED with this question; the next turn goes on with the step after it. */
  | { readonly kind: "ask"; readonly question: string }
  /** Throws: the task fails. */
  | { readonly kind: "fail"; readonly message: string; readonly retryable?: boolean };

/** How fast a script goes. */
export interface ScriptedOptions {
  /** Between two tokens of `say` and `echo`, in ms. Default 25; 0 streams without a timer. */
  readonly tokenMs?: number;
  /** Waits `ms`, and rejects when the signal aborts. Default: a timer. Tests give their own. */
  readonly sleep?: Sleep;
}

/** Waits `ms`; rejects when the signal aborts. */
export type Sleep = (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>;

const STATE_VERSION = "scripted/1";

/** An engine that follows a script: no model, no key, no network. For demos, tests and load. */
export function scripted(script: Script, options: ScriptedOptions = {}): Engine {
  const tokenMs = options.tokenMs ?? 25;
  const sleep = options.sleep ?? timer;
  if (!Number.isFinite(tokenMs) || tokenMs < 0) throw new IasError("configuration", `tokenMs must be 0 or a positive number of ms, not ${tokenMs}.`);
  const play: ScriptFunction = typeof script === "function" ? script : (turn, { signal }) => steps(script, turn, { signal, tokenMs, sleep });
  return { run: (turn, { signal }) => untilAborted(toEvents(play(turn, { signal })), signal) };
}

/** `text` as one text event per token, `tokenMs` apart; a script function's way to speak. */
export async function* say(
  text: string,
  options: { readonly signal: AbortSignal; readonly tokenMs?: number; readonly sleep?: Sleep; readonly artifact?: string },
): AsyncGenerator<AgentEvent, void, undefined> {
  const { signal, tokenMs = 25, sleep = timer, artifact } = options;
  let first = true;
  for (const token of tokens(text)) {
    if (!first && tokenMs > 0) await sleep(tokenMs, { signal });
    first = false;
    yield artifact === undefined ? { kind: "text", text: token } : { kind: "text", text: token, artifact };
  }
}

/** Words with the white space that follows them; joined they are `text`. */
export function tokens(text: string): readonly string[] {
  return text.match(/\s*\S+\s?|\s+/gu) ?? [];
}

/** The text parts of `messages`, joined by line breaks. */
export function textOf(messages: readonly Message[]): string {
  return messages.flatMap(({ parts }) => parts.flatMap(({ text }) => (text === undefined ? [] : [text]))).join("\n");
}

const timer: Sleep = (ms, { signal }) => wait(ms, undefined, { signal });

interface Pace {
  readonly signal: AbortSignal;
  readonly tokenMs: number;
  readonly sleep: Sleep;
}

async function* steps(script: readonly ScriptStep[], turn: Turn, pace: Pace): AsyncGenerator<AgentEvent, void, undefined> {
  for (let at = startOf(turn, script.length); at < script.length; at += 1) {
    const step = script[at];
    if (step === undefined) return;
    switch (step.kind) {
      case "say":
        yield* say(step.text, step.artifact === undefined ? pace : { ...pace, artifact: step.artifact });
        break;
      case "echo":
        yield* say((step.prefix ?? "") + textOf(turn.input), pace);
        break;
      case "pause":
        await pace.sleep(step.ms, pace);
        break;
      case "ask":
        yield { kind: "interrupt", reason: "input", message: [{ text: step.question }], state: { version: STATE_VERSION, data: String(at + 1) } };
        return;
      case "fail":
        throw new IasError("engine-failed", step.message, { retryable: step.retryable ?? false });
      default:
        yield step;
        if (step.kind === "interrupt" || step.kind === "reply" || step.kind === "end") return;
    }
  }
}

function startOf(turn: Turn, length: number): number {
  if (turn.state?.version !== STATE_VERSION) return 0;
  const at = Number(turn.state.data);
  if (!Number.isInteger(at) || at < 0 || at > length) {
    throw new IasError("corrupt", `The script of agent "${turn.agent}" has ${length} steps; its saved position is "${turn.state.data}".`);
  }
  return at;
}
