import { z } from "zod";
import { EXTENSION_URI } from "../../model/entry.ts";
import { IasError } from "../../model/errors.ts";
import { joinKey, keyText, splitKey, type StreamKey } from "../../model/key.ts";
import type { Secrets } from "../../tenancy/secrets.ts";
import type { Call, GivenUp, PushConfig } from "../operations.ts";

/** A configuration as it is kept: what is secret in it is sealed for its place. */
export interface KeptConfig {
  readonly config: PushConfig;
  /** The protocol version that it was made with: it decides the form of the notifications. */
  readonly version: Call["version"];
}

/** What is sealed in it stays sealed. */
export function withGivenUp(value: string, givenUp: GivenUp): string {
  return JSON.stringify({ ...keptSchema.parse(JSON.parse(value)), givenUp } satisfies z.input<typeof keptSchema>);
}

/** A scheme of `authentication` that signs a notification instead of naming credentials in it; so does JWT. */
export const HMAC_SCHEME = "HMAC-SHA256";
/** Signed with the server's own key. */
export const JWT_SCHEME = "JWT";

/** The folder of a task's configurations; it goes with the task (`Upkeep.remove`). */
export function configFolder(key: StreamKey): string {
  return `${joinKey("task", keyText(key), "push")}/`;
}

/** Where one configuration is kept. */
export function configKey(key: StreamKey, id: string): string {
  return joinKey("task", keyText(key), "push", id);
}

/** Where its cursor is kept, which holds the entries that it needs. */
export function holdKey(key: StreamKey, id: string): string {
  return joinKey("hold", keyText(key), "push", id);
}

/** The configuration that a hold belongs to, or undefined for others' holds. */
export function readHoldKey(text: string): { readonly key: StreamKey; readonly id: string } | undefined {
  const [folder, stream = "", kind, id] = splitKey(text);
  const [tenant, user, agent, task] = splitKey(stream);
  if (folder !== "hold" || kind !== "push" || id === undefined || tenant === undefined || user === undefined || agent === undefined || task === undefined)
    return undefined;
  return { key: { tenant, user, agent, task }, id };
}

const keptSchema = z.object({
  url: z.string(),
  version: z.enum(["1.0", "0.3"]),
  scheme: z.string().optional(),
  sealed: z.string().optional(),
  givenUp: z.object({ at: z.string(), failures: z.number(), why: z.string() }).optional(),
});

/** The record of a configuration. */
export function writeConfig(key: StreamKey, { config, version }: KeptConfig, secrets: Secrets): string {
  const { id, url, token, authentication } = config;
  const secret = { ...(token !== undefined && { token }), ...(authentication?.credentials !== undefined && { credentials: authentication.credentials }) };
  const sealed = Object.keys(secret).length === 0 ? undefined : secrets.seal(JSON.stringify(secret), configKey(key, id));
  return JSON.stringify({ url, version, scheme: authentication?.scheme, sealed } satisfies z.input<typeof keptSchema>);
}

/** Reads what `writeConfig` wrote. @throws IasError `corrupt` if its secret cannot be opened. */
export function readConfig(key: StreamKey, id: string, value: string, secrets: Secrets): KeptConfig {
  const { url, version, scheme, sealed, givenUp } = keptSchema.parse(JSON.parse(value));
  const secret = sealed === undefined ? {} : (JSON.parse(secrets.open(sealed, configKey(key, id))) as { token?: string; credentials?: string });
  const { token, credentials } = secret;
  return {
    version,
    config: {
      id,
      taskId: key.task,
      url,
      ...(token !== undefined && { token }),
      ...(scheme !== undefined && { authentication: { scheme, ...(credentials !== undefined && { credentials }) } }),
      ...(givenUp !== undefined && { [EXTENSION_URI]: { givenUp } }),
    },
  };
}

/** Longest URL, token and credentials, characters. */
const MAX_URL = 2048;
const MAX_SECRET = 8192;

/** Refuses what could never be delivered. Whether the address may be reached is the guarded fetch's to say. @throws IasError `invalid-params`, naming the field. */
export function checkConfig(config: Partial<Omit<PushConfig, "taskId">>, options: { readonly maxIdLength: number; readonly canSign: boolean }): void {
  const { id = "", url = "", token, authentication } = config;
  if (id.length > options.maxIdLength) throw wrong("id", `has ${id.length} characters; at most ${options.maxIdLength} are taken (maxIdLength)`);
  if (url === "" || url.length > MAX_URL) throw wrong("url", `must be an http or https URL of at most ${MAX_URL} characters`);
  if (token !== undefined && !isHeaderValue(token)) throw wrong("token", `goes into a header: at most ${MAX_SECRET} visible ASCII characters`);
  if (authentication === undefined) return;
  const { scheme, credentials } = authentication;
  if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(scheme)) throw wrong("authentication.scheme", 'must be an HTTP authentication scheme such as "Bearer"');
  if (credentials !== undefined && !isHeaderValue(credentials))
    throw wrong("authentication.credentials", `goes into a header: at most ${MAX_SECRET} visible ASCII characters`);
  if (isScheme(scheme, HMAC_SCHEME) && (credentials ?? "") === "") throw wrong("authentication.credentials", `must be the shared secret for ${HMAC_SCHEME}`);
  if (isScheme(scheme, JWT_SCHEME) && !options.canSign) throw wrong("authentication.scheme", "is JWT, and this server has no signing key");
}

/** Schemes are compared without case (RFC 9110 11.1). */
export function isScheme(given: string, wanted: string): boolean {
  return given.toLowerCase() === wanted.toLowerCase();
}

function isHeaderValue(text: string): boolean {
  return text.length <= MAX_SECRET && /^[\x20-\x7e]*$/.test(text);
}

function wrong(field: string, text: string): IasError {
  return new IasError("invalid-params", `The push notification configuration's ${field} ${text}.`, { fields: [{ field, description: text }] });
}
