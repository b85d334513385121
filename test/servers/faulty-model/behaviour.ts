/** The faults that the faulty model server knows; each takes the numbers of `Behaviour` that it needs. */
export const FAULTS = [
  "none",
  /** Alive, one token every `gapMs` (3 s). */
  "slow",
  /** Silent for `forMs` (30 s) before the first token, headers sent, the engine busy. */
  "prefill",
  /** The request waits in the engine's queue for `forMs` (for ever): nothing moves, `waiting` counts it. */
  "queue",
  /** After `after` tokens nothing more, for ever; the engine still counts the request as running, and its tokens stand still. */
  "stall",
  /** The same, for `forMs` (5 s), then it goes on. */
  "stall-recover",
  /** After `after` tokens the engine forgets the request: running 0, waiting 0, the connection stays open. */
  "lost",
  /** After `after` tokens the connection ends: FIN in the middle of the body, a reset, or a body that ends well but without `[DONE]`. */
  "fin",
  "rst",
  "eof",
  /** After `after` tokens a frame `{ "error": … }`, then `[DONE]`, all under 200. */
  "error",
  /** `[DONE]` without a `finish_reason`; and `finish_reason: "error"`. */
  "no-finish",
  "finish-error",
  /** After `after` tokens a parser holds the next `hold` tokens (all that are left) back: the engine's counters move, no chunk comes; then one chunk has them all. */
  "hold",
  /** 429 and 503 with `Retry-After: retryAfter` seconds (none when 0), 500, and 400 with no word of a parameter. */
  "rate-limit",
  "unavailable",
  "server-error",
  "bad-request",
  /** The request is read and never answered, not even by headers; the engine does not know it. */
  "no-headers",
  /** Not JSON where a frame should be. */
  "garbage",
] as const;

export type Fault = (typeof FAULTS)[number];

/** How one request is answered. In a prompt: the first JSON object of the last user message. */
export interface Behaviour {
  readonly fault?: Fault;
  /** What the answer says, or ends with where `tokens` asks for more. */
  readonly say?: string;
  /** How many tokens the answer has: seeded words come before `say`. Default: those of `say`, or 12. */
  readonly tokens?: number;
  /** Tokens before the fault. Default 0. */
  readonly after?: number;
  /** Between two tokens, ms. Default 0. */
  readonly gapMs?: number;
  /** Before the first token, ms. Default 0. */
  readonly prefillMs?: number;
  readonly forMs?: number;
  readonly hold?: number;
  /** Tokens a chunk, as `--stream-interval` and speculative decoding make them. Default 1. */
  readonly batch?: number;
  readonly retryAfter?: number;
  /** The fault meets only the first `times` requests with this same last user message; later ones are answered well. Default: all. */
  readonly times?: number;
  /** Reasoning before the answer, token by token as the answer. */
  readonly reasoning?: string;
  /** Calls that the model makes instead of answering, while no tool result stands behind the last user message. */
  readonly calls?: readonly { readonly name: string; readonly arguments: string }[];
  /** Each token of the answer waits for one `step(id)` of this id: for proofs in lock step. */
  readonly step?: string;
  /** Any; makes prompts differ. */
  readonly id?: string | number;
}

/** Waits of which no end is told. */
const FOREVER = Number.POSITIVE_INFINITY;

/** One thing that the engine or the server does, in order. */
export type Move =
  | { readonly do: "token"; readonly field: "content" | "reasoning"; readonly text: string }
  /** A piece of a tool call; the first of a call has its id and name. */
  | { readonly do: "call"; readonly index: number; readonly text: string; readonly start?: { readonly id: string; readonly name: string } }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "step"; readonly id: string }
  /** From here on, or no longer, the parser holds chunks back. */
  | { readonly do: "hold"; readonly on: boolean }
  | { readonly do: "lose" }
  | { readonly do: "drop"; readonly how: "fin" | "rst" | "eof" }
  | { readonly do: "error" }
  | { readonly do: "garbage" }
  | { readonly do: "finish"; readonly reason: "stop" | "tool_calls" | "error" | undefined };

const WORDS = "the of to and in is agent token stream model plan tool result answer data user step run time next done".split(" ");

/** What the engine does for one request, from its first token to its end: a pure function of the behaviour and a number that seeds the words. */
export function movesOf(behaviour: Behaviour, seed: number, hasToolResults: boolean): readonly Move[] {
  const { fault = "none", after = 0, calls = [] } = behaviour;
  const gapMs = behaviour.gapMs ?? (fault === "slow" ? 3000 : 0);
  const tokens: Move[] = piecesOf(behaviour.reasoning ?? "").map((text) => ({ do: "token", field: "reasoning", text }));
  const callsNow = calls.length > 0 && !hasToolResults;
  if (callsNow) tokens.push(...calls.flatMap(callTokens));
  else tokens.push(...answerOf(behaviour, seed).map((text) => ({ do: "token", field: "content", text }) as const));

  const moves: Move[] = [];
  for (const [n, token] of tokens.entries()) {
    if (n === after) moves.push(...faultAt(fault, behaviour));
    if (fault === "hold" && n === after + (behaviour.hold ?? FOREVER)) moves.push({ do: "hold", on: false });
    if (n > 0 && gapMs > 0) moves.push({ do: "wait", ms: gapMs });
    if (behaviour.step !== undefined) moves.push({ do: "step", id: behaviour.step });
    moves.push(token);
  }
  if (after >= tokens.length) moves.push(...faultAt(fault, behaviour));
  if (fault === "hold") moves.push({ do: "hold", on: false });
  if (fault === "no-finish") moves.push({ do: "finish", reason: undefined });
  else if (fault === "finish-error") moves.push({ do: "finish", reason: "error" });
  else moves.push({ do: "finish", reason: callsNow ? "tool_calls" : "stop" });
  return moves;
}

/** The texts of the answer, one a token: joined they are the answer. */
export function answerOf({ say, tokens }: Behaviour, seed: number): readonly string[] {
  const said = say === undefined ? [] : piecesOf(say);
  const fillers = Math.max(0, (tokens ?? (say === undefined ? 12 : 0)) - said.length);
  const random = randomOf(seed);
  return [...Array.from({ length: fillers }, () => `${WORDS[Math.floor(random() * WORDS.length)] ?? "the"} `), ...said];
}

/** A text in pieces like tokens: a word and the space behind it. */
function piecesOf(text: string): readonly string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** A number in 32 bits of any text (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < text.length; n += 1) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193);
  return hash >>> 0;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The first JSON object in a text; undefined when there is none. */
export function firstObject(text: string): Behaviour | undefined {
  for (let from = text.indexOf("{"); from !== -1; from = text.indexOf("{", from + 1)) {
    for (let to = text.indexOf("}", from); to !== -1; to = text.indexOf("}", to + 1)) {
      try {
        return JSON.parse(text.slice(from, to + 1)) as Behaviour;
      } catch {
        // A brace inside: look further.
      }
    }
  }
  return undefined;
}

function faultAt(fault: Fault, { forMs }: Behaviour): readonly Move[] {
  switch (fault) {
    case "stall":
      return [{ do: "wait", ms: FOREVER }];
    case "stall-recover":
      return [{ do: "wait", ms: forMs ?? 5000 }];
    case "lost":
      return [{ do: "lose" }, { do: "wait", ms: FOREVER }];
    case "fin":
    case "rst":
    case "eof":
      return [{ do: "drop", how: fault }];
    case "error":
      return [{ do: "error" }];
    case "garbage":
      return [{ do: "garbage" }];
    case "hold":
      return [{ do: "hold", on: true }];
    default:
      return [];
  }
}

function callTokens({ name, arguments: text }: { readonly name: string; readonly arguments: string }, index: number): readonly Move[] {
  const pieces = text.match(/[\s\S]{1,6}/gu) ?? [];
  return [{ do: "call", index, text: "", start: { id: `call-${index}`, name } }, ...pieces.map((piece) => ({ do: "call", index, text: piece }) as const)];
}
