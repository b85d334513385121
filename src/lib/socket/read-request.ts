import { z } from "zod";
import { parseJsonBody } from "../a2a/binding.ts";
import { TASK_STATES } from "../model/a2a.ts";
import type { SocketRequest } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";

const number = z.int().min(0);
const bytes = z.int().min(0);

/** What a page may say. What a message holds is checked by the operation that takes it. */
function schemaFor({ maxIdLength }: Pick<Limits, "maxIdLength">) {
  const text = z.string().min(1).max(maxIdLength);
  const reading = {
    agent: text.exactOptional(),
    after: z
      .string()
      .max(maxIdLength * 64)
      .exactOptional(),
    audience: z.enum(["public", "extension", "internal"]).exactOptional(),
    credit: bytes.exactOptional(),
  };
  return z.discriminatedUnion("op", [
    z.object({ op: z.literal("subscribe"), sub: number, task: text, ...reading }),
    z.object({
      op: z.literal("subscribe-feed"),
      sub: number,
      context: text.exactOptional(),
      states: z.array(z.enum(TASK_STATES)).exactOptional(),
      tail: number.exactOptional(),
      live: z.boolean().exactOptional(),
      ...reading,
    }),
    z.object({ op: z.literal("credit"), sub: number, bytes }),
    z.object({ op: z.literal("unsubscribe"), sub: number }),
    z.object({ op: z.literal("ack"), sub: number, cursor: text }),
    z.object({ op: z.literal("send"), ref: number, agent: text, body: z.looseObject({}) }),
    z.object({ op: z.literal("cancel"), ref: number, task: text, agent: text.exactOptional() }),
    z.object({ op: z.literal("ping"), ref: number }),
  ]);
}

/** Makes what reads messages. It throws `invalid-request` with one sentence that says what was wrong, short enough for a close reason. */
export function createRequestReader(limits: Pick<Limits, "maxIdLength" | "maxJsonDepth" | "maxJsonValues">): (message: Buffer) => SocketRequest {
  const schema = schemaFor(limits);
  const ops = schema.options.map((option) => option.shape.op.value);
  return (message) => {
    const value = parseJsonBody(message, limits);
    const parsed = schema.safeParse(value);
    // The operation checks the body of a message.
    if (parsed.success) return parsed.data as SocketRequest;
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") ?? "";
    if (issue?.code === "invalid_union") throw new IasError("invalid-request", `op must be one of ${ops.join(", ")}.`);
    throw new IasError("invalid-request", field === "" ? "A message must be a JSON object with op." : `${field}: ${issue?.message ?? "is wrong"}.`);
  };
}
