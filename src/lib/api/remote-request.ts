import { z } from "zod";
import type { Agent } from "../engine/agent.ts";
import type { JsonObject } from "../model/a2a.ts";
import { invalidField, messageOf } from "../model/errors.ts";
import { hostNotAllowed, isHostAllowed } from "../net/only-hosts.ts";
import type { remoteBodySchema } from "./schemas.ts";

/** Throws `invalid-params` for what is no address of the web, or has credentials in it; `forbidden` for a host that is not allowed. */
export function checkHost(url: string, allowed: readonly string[]): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw invalidField("url", "must be an http or https URL");
  if (new URL(url).username !== "" || new URL(url).password !== "")
    throw invalidField("url", "must not hold a user or password, which would be shown; give a token or headers");
  if (!isHostAllowed(new URL(url), allowed)) throw hostNotAllowed(new URL(url));
}

/** Headers of the connection itself, which are not the caller's to set. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
  "expect",
  "keep-alive",
]);

/** What is sent to a remote agent beside. Throws `invalid-params`. */
export function readHeaders({ headers = {}, token }: z.infer<typeof remoteBodySchema>): Readonly<Record<string, string>> {
  const own = Object.keys(headers).find((name) => OWN_HEADERS.has(name.toLowerCase()));
  try {
    if (own !== undefined) throw new TypeError(`${own} is not to be set`);
    return Object.fromEntries(new Headers({ ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) }));
  } catch (error) {
    throw invalidField("headers", `hold something that is no header to be set: ${messageOf(error)}`);
  }
}

/** An id for an agent of this name that is not taken. */
export function freeId(agents: ReadonlyMap<string, Agent>, name: string): string {
  const base =
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 50) || "remote";
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!agents.has(id)) return id;
  }
}

/** What is kept of a card. */
export const remoteWordsSchema = z.object({
  name: z.string(),
  description: z.string(),
  skills: z.array(
    z.object({ id: z.string(), name: z.string(), description: z.string(), tags: z.array(z.string()), examples: z.exactOptional(z.array(z.string())) }),
  ),
  inputModes: z.array(z.string()),
  outputModes: z.array(z.string()),
});

type RemoteWords = z.infer<typeof remoteWordsSchema>;

const text = (most: number) => z.string().transform((value) => value.slice(0, most));
const texts = (most: number) =>
  z
    .array(z.string())
    .catch([])
    .transform((all) => all.slice(0, most).map((one) => one.slice(0, 200)));
const skillSchema = z.object({ id: text(100), name: text(100), description: text(1000).catch(""), tags: texts(20), examples: texts(10) });

/** What a card says of its agent, cut to what is shown. A card is somebody else's text: what does not fit is left out. */
export function describeCard(raw: JsonObject, id: string): RemoteWords {
  const name = text(100).catch("").parse(raw["name"]).trim() || id;
  const skills = z
    .array(z.unknown())
    .catch([])
    .parse(raw["skills"])
    .slice(0, 50)
    .flatMap((one) => {
      const parsed = skillSchema.safeParse(one);
      return parsed.success ? [parsed.data] : [];
    });
  const modes = (value: unknown): string[] =>
    texts(50)
      .parse(value)
      .filter((mode) => /^[^\s/]+\/[^\s/]+$/.test(mode));
  return {
    name,
    description: text(2000).catch("").parse(raw["description"]).trim() || `The remote agent ${name}.`,
    skills: [...new Map(skills.filter((skill) => skill.id !== "").map((skill) => [skill.id, skill])).values()],
    inputModes: modes(raw["defaultInputModes"]),
    outputModes: modes(raw["defaultOutputModes"]),
  };
}
