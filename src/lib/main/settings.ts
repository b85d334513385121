import { isIP } from "node:net";
import { z } from "zod";
import { IasError } from "../model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import { isLoopbackHost } from "../net/address.ts";
import type { JwtOptions } from "../tenancy/jwt.ts";

/** How a server is set up, from the environment or from code. `docs/operations.md` lists the variables. */
export interface Settings {
  /** Address to listen on; `127.0.0.1`. Another than loopback needs authentication, or `allowAnonymous`. */
  readonly host: string;
  /** Port of HTTP. Absent: 4000, or the next free one. 0: any free one. */
  readonly port?: number;
  /** Port of gRPC. Absent: 4001, or the next free one. 0: any free one. `false`: no gRPC. */
  readonly grpcPort?: number | false;
  /** URL that cards and links give, without a trailing slash; where the server is reached from outside. Absent: where it listens. */
  readonly publicUrl?: string;
  /** Where gRPC is reached from outside, `host:port`; what cards say. Absent: the host of `publicUrl` with the port that gRPC listens on, or where it listens. */
  readonly grpcPublicAddress?: string;
  readonly log: "sqlite" | "memory";
  /** What a commit survives with SQLite: a killed process, or a power loss (slower). */
  readonly durability: "process" | "host";
  /** Folder of the database and the files. */
  readonly dataDir: string;
  /** Reads a data folder that another process owns; takes no messages. */
  readonly readOnly: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly allowAnonymous: boolean;
  /** Webhooks, files and agents on loopback addresses may be called; only on a server that listens on loopback. */
  readonly allowLocalTargets: boolean;
  /** Hosts of foreign agents that callers may reach through the server, `*.example.com` for all below. Absent: any public one. */
  readonly remoteHosts?: readonly string[];
  /** Folder of campaign files that operators may start in the browser, by name. Absent: none can be started. */
  readonly campaignsDir?: string;
  /** Folder of campaigns' results, one each, which operators see in the browser. Absent: `results` with `campaignsDir`, where `ias campaign run` puts them; else none. */
  readonly resultsDir?: string;
  /** Media types of files that callers may upload, whole or `image/*`; what is no known type of these has to be text. Absent: images, sound, video, text, and common documents. */
  readonly uploadTypes?: readonly string[];
  readonly auth?: Auth;
  /** Signs agent cards: a file with a private key as JWK. */
  readonly cardKeyFile?: string;
  readonly limits: Partial<Limits>;
}

/** How callers prove who they are. */
export type Auth =
  /** A file of hashed keys. */
  | { readonly kind: "api-keys"; readonly file: string }
  | ({
      readonly kind: "jwt";
      /** URL or file of the issuer's keys. */
      readonly jwks: string;
    } & Pick<JwtOptions, "issuer" | "audience" | "algorithms" | "claims" | "defaultTenant" | "clockToleranceS" | "openIdConnectUrl">);

/** Where `ias campaign run` puts results. */
export const RESULTS_DIR = "results";

/** One's own machine, without a key: what `npm start` does. */
export const DEFAULT_SETTINGS: Settings = {
  host: "127.0.0.1",
  log: "sqlite",
  durability: "process",
  dataDir: "./.data",
  readOnly: false,
  allowedHosts: [],
  allowedOrigins: [],
  allowAnonymous: false,
  allowLocalTargets: false,
  limits: {},
};

/** A variable that is set to the empty text counts as absent, as shells and compose files leave it. */
const text = z.preprocess((value) => (value === "" ? undefined : value), z.string().optional());
const flag = z
  .preprocess((value) => (value === "" ? undefined : value), z.enum(["0", "1", "true", "false"], "must be 1 or 0").optional())
  .transform((value) => value === "1" || value === "true");
const port = z.preprocess(
  (value) => (value === "" ? undefined : value),
  z.coerce.number("must be a port number").int("must be a whole number, 0 to 65535").min(0, "must be 0 to 65535").max(65535, "must be 0 to 65535").optional(),
);
const list = text.transform((value) =>
  (value ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);
const url = text
  .refine((value) => value === undefined || isWebUrl(value), "must be an http or https URL, such as https://agents.example.com")
  .transform((value) => value?.replace(/\/+$/, ""));

const hostAndPort = text.refine(
  (value) => value === undefined || isHostAndPort(value),
  "must be host:port without a scheme, such as agents.example.com:443 (IPv6 in brackets)",
);

const environmentSchema = z.object({
  HOST: text,
  PORT: port,
  GRPC_PORT: z.union([z.literal("off").transform(() => false as const), port], "must be a port number, 0 to 65535, or off"),
  PUBLIC_URL: url,
  GRPC_PUBLIC_ADDRESS: hostAndPort,
  LOG: z.preprocess((value) => (value === "" ? undefined : value), z.enum(["sqlite", "memory"], "must be sqlite or memory").optional()),
  DURABILITY: z.preprocess((value) => (value === "" ? undefined : value), z.enum(["process", "host"], "must be process or host").optional()),
  DATA_DIR: text,
  READ_ONLY: flag,
  ALLOWED_HOSTS: list,
  ALLOWED_ORIGINS: list,
  ALLOW_ANONYMOUS: flag,
  ALLOW_LOCAL_TARGETS: z.preprocess((value) => (value === "" ? undefined : value), z.enum(["0", "1", "true", "false"], "must be 1 or 0").optional()),
  API_KEYS_FILE: text,
  JWT_JWKS: text,
  JWT_ISSUER: text,
  JWT_AUDIENCE: text,
  JWT_TENANT_CLAIM: text,
  JWT_USER_CLAIM: text,
  JWT_ROLES_CLAIM: text,
  JWT_DEFAULT_TENANT: text,
  CARD_KEY_FILE: text,
  REMOTE_HOSTS: list,
  UPLOAD_TYPES: list,
  CAMPAIGNS_DIR: text,
  RESULTS_DIR: text,
  LIMITS: text,
});

/**
 * Settings from environment variables. Throws `configuration` that names each variable at fault and what is right.
 * `flags` says by which flag a variable was given; then that is named.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>, flags: ReadonlyMap<string, string> = new Map()): Settings {
  const parsed = environmentSchema.safeParse(env);
  if (!parsed.success) {
    const said = parsed.error.issues.map(({ path, message }) => `${flags.get(path.join(".")) ?? path.join(".")} ${message}`);
    throw new IasError("configuration", said.join("; "));
  }
  const given = parsed.data;
  const host = given.HOST ?? DEFAULT_SETTINGS.host;
  const auth = readAuth(given);
  return {
    host,
    ...(given.PORT !== undefined && { port: given.PORT }),
    ...(given.GRPC_PORT !== undefined && { grpcPort: given.GRPC_PORT }),
    ...(given.PUBLIC_URL !== undefined && { publicUrl: given.PUBLIC_URL }),
    ...(given.GRPC_PUBLIC_ADDRESS !== undefined && { grpcPublicAddress: given.GRPC_PUBLIC_ADDRESS }),
    log: given.LOG ?? DEFAULT_SETTINGS.log,
    durability: given.DURABILITY ?? DEFAULT_SETTINGS.durability,
    dataDir: given.DATA_DIR ?? DEFAULT_SETTINGS.dataDir,
    readOnly: given.READ_ONLY,
    allowedHosts: given.ALLOWED_HOSTS,
    allowedOrigins: given.ALLOWED_ORIGINS,
    allowAnonymous: given.ALLOW_ANONYMOUS,
    allowLocalTargets:
      given.ALLOW_LOCAL_TARGETS === undefined ? isLoopbackHost(host) : given.ALLOW_LOCAL_TARGETS === "1" || given.ALLOW_LOCAL_TARGETS === "true",
    resultsDir: given.RESULTS_DIR ?? RESULTS_DIR,
    ...(given.REMOTE_HOSTS.length > 0 && { remoteHosts: given.REMOTE_HOSTS }),
    ...(given.UPLOAD_TYPES.length > 0 && { uploadTypes: given.UPLOAD_TYPES }),
    ...(given.CAMPAIGNS_DIR !== undefined && { campaignsDir: given.CAMPAIGNS_DIR }),
    ...(auth !== undefined && { auth }),
    ...(given.CARD_KEY_FILE !== undefined && { cardKeyFile: given.CARD_KEY_FILE }),
    limits: readLimits(given.LIMITS),
  };
}

/** Below these nothing can work: an event, a Task or a request of the smallest useful kind would not fit. */
const MIN_LIMITS: Partial<Limits> = {
  maxFrameBytes: 4096,
  maxInlineBytes: 4096,
  maxBodyBytes: 1024,
  maxEntryBytes: 4096,
  maxMessageBytes: 256,
  maxMessageParts: 1,
  maxJsonDepth: 8,
  maxJsonValues: 100,
  maxParallelTurns: 1,
  maxParallelTurnsPerUser: 1,
  maxReaders: 1,
  maxReadersPerUser: 1,
  maxSocketStreams: 1,
  maxSocketMessageBytes: 512,
  heartbeatMs: 100,
};

/** Refuses what would be unsafe or contradictory. Throws `configuration` with the way out. */
export function checkSettings(settings: Settings): void {
  const loopback = isLoopbackHost(settings.host);
  if (!loopback && settings.auth === undefined && !settings.allowAnonymous) {
    throw new IasError(
      "configuration",
      `HOST=${settings.host} would let anybody use the agents. Set API_KEYS_FILE or JWT_JWKS, or ALLOW_ANONYMOUS=1 if something in front authenticates.`,
    );
  }
  if (!loopback && settings.allowLocalTargets) {
    throw new IasError("configuration", `ALLOW_LOCAL_TARGETS=1 is for servers that listen on loopback only; HOST is ${settings.host}.`);
  }
  for (const host of settings.allowedHosts) {
    if (host !== "*" && isIP(host) === 0 && !/^[a-z0-9._-]+$/i.test(host))
      throw new IasError(
        "configuration",
        `ALLOWED_HOSTS has ${JSON.stringify(host)}; right are names or addresses without scheme, port and path, such as agents.example.com.`,
      );
  }
  for (const origin of settings.allowedOrigins) {
    if (origin !== "*" && !isOrigin(origin))
      throw new IasError(
        "configuration",
        `ALLOWED_ORIGINS has ${JSON.stringify(origin)}; right are origins as browsers send them, scheme and host without a path, such as https://app.example.com.`,
      );
  }
  const type = settings.uploadTypes?.find((each) => !/^(?:\*\/\*|[a-z0-9][a-z0-9!#$&^_.+-]*\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]*))$/.test(each));
  if (type !== undefined || settings.uploadTypes?.length === 0)
    throw new IasError(
      "configuration",
      `UPLOAD_TYPES has ${type === undefined ? "no type" : JSON.stringify(type)}; right are media types in lower case without parameters, such as application/pdf, image/* or */*.`,
    );
  if (settings.publicUrl !== undefined && !isWebUrl(settings.publicUrl))
    throw new IasError(
      "configuration",
      `PUBLIC_URL must be an http or https URL, such as https://agents.example.com; ${JSON.stringify(settings.publicUrl)} is not.`,
    );
  const small = Object.entries(MIN_LIMITS).filter(([name, least]) => (settings.limits[name as keyof Limits] ?? least) < least);
  if (small.length > 0)
    throw new IasError("configuration", `With such limits nothing works: ${small.map(([name, least]) => `${name} must be ${least} or more`).join("; ")}.`);
  if (settings.grpcPublicAddress !== undefined && !isHostAndPort(settings.grpcPublicAddress)) {
    throw new IasError("configuration", `GRPC_PUBLIC_ADDRESS must be host:port without a scheme; ${JSON.stringify(settings.grpcPublicAddress)} is not.`);
  }
  if (settings.readOnly && settings.log === "memory")
    throw new IasError("configuration", "READ_ONLY=1 reads another process's data folder; LOG=memory has none.");
}

/** Where a server that listens on `host` is reached from this machine. */
export function reachedAt(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** Where cards say that gRPC is reached, `host:port`. From outside `host` may be nothing (0.0.0.0), so the public URL's host counts before it. */
export function grpcAddressOf({ host, publicUrl, grpcPublicAddress }: Pick<Settings, "host" | "publicUrl" | "grpcPublicAddress">, port: number): string {
  return grpcPublicAddress ?? `${publicUrl === undefined ? reachedAt(host) : new URL(publicUrl).hostname}:${port}`;
}

/** Without credentials, query and fragment: paths are put after it. */
function isWebUrl(value: string): boolean {
  if (!/^https?:\/\/[^?#@\s]+$/i.test(value) || !URL.canParse(value)) return false;
  return new URL(value).hostname !== "";
}

/** An Origin header as browsers write it (RFC 6454, 6.2): of the web in its normal form, else any scheme with a host, as extensions have it. */
function isOrigin(value: string): boolean {
  if (/^https?:/i.test(value)) return URL.canParse(value) && new URL(value).origin === value;
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/.test(value);
}

function isHostAndPort(value: string): boolean {
  return /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+):[1-9]\d{0,4}$/i.test(value) && Number(value.slice(value.lastIndexOf(":") + 1)) <= 65535;
}

function readAuth(given: z.infer<typeof environmentSchema>): Auth | undefined {
  const { API_KEYS_FILE: file, JWT_JWKS: jwks, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = given;
  if (file !== undefined && jwks !== undefined) throw new IasError("configuration", "Set API_KEYS_FILE or JWT_JWKS, not both.");
  if (file !== undefined) return { kind: "api-keys", file };
  if (jwks === undefined) return undefined;
  if (issuer === undefined || audience === undefined)
    throw new IasError("configuration", "JWT_JWKS needs JWT_ISSUER and JWT_AUDIENCE, or tokens made for others would be taken.");
  const { JWT_TENANT_CLAIM: tenant, JWT_USER_CLAIM: user, JWT_ROLES_CLAIM: roles, JWT_DEFAULT_TENANT: defaultTenant } = given;
  const claims = { ...(tenant !== undefined && { tenant }), ...(user !== undefined && { user }), ...(roles !== undefined && { roles }) };
  return { kind: "jwt", jwks, issuer, audience, claims, ...(defaultTenant !== undefined && { defaultTenant }) };
}

/** `LIMITS` is JSON with names of `limits.ts` and numbers. */
function readLimits(json: string | undefined): Partial<Limits> {
  if (json === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new IasError("configuration", 'LIMITS is not JSON; right is for example LIMITS={"maxParallelTurns":64}.', { cause: error });
  }
  return checkLimits(value);
}

/** Limits by name, checked. Throws `configuration`. */
function checkLimits(value: unknown): Partial<Limits> {
  const parsed = z.record(z.string(), z.union([z.number().positive(), z.literal("Infinity").transform(() => Number.POSITIVE_INFINITY)])).safeParse(value);
  if (!parsed.success) throw new IasError("configuration", 'Limits are positive numbers (or "Infinity") by name, such as { "maxParallelTurns": 64 }.');
  const unknown = Object.keys(parsed.data).filter((name) => !Object.hasOwn(DEFAULT_LIMITS, name));
  if (unknown.length > 0) throw new IasError("configuration", `There is no limit ${unknown.join(", ")}; there are ${Object.keys(DEFAULT_LIMITS).join(", ")}.`);
  return parsed.data;
}
