import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { methodNotAllowed, type Page, type PageReply } from "../net/page.ts";

/** The first segments of the inspector's own addresses: at each path below them the page is given, which finds its view by itself. */
const PLACES = new Set(["", "a", "t", "tasks", "campaigns", "remotes"]);

/** The first segments of what programs ask for: an error there is theirs to read, also in a browser. */
const PROGRAMS = new Set(["a2a", "api", "agui", "ai", "v1", "assets", ".well-known"]);

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

/**
 * Nothing but this server's own files runs, text becomes markup only through the sanitiser's policy, and nobody may frame the page. Pictures, sound and films come
 * from this server or from the page's own memory: what an agent says loads nothing from elsewhere.
 */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dompurify",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "cache-control": "no-cache",
};

/** Their names hold their contents' hash. */
const ASSET_HEADERS: Readonly<Record<string, string>> = { "cache-control": "public, max-age=31536000, immutable" };

/** A text that is worth compressing. */
const MIN_GZIP = 1024;

interface File {
  readonly type: string;
  readonly bytes: Buffer;
  /** Made when it is first asked for. */
  zipped?: Buffer;
}

/** Where this package has its built inspector: in `dist` when it is installed, in `inspector/dist` in its source tree. */
export function inspectorFolder(): string {
  const isSource = import.meta.url.endsWith(".ts");
  return fileURLToPath(new URL(isSource ? "../../../inspector/dist/" : "../../inspector/", import.meta.url));
}

/** The inspector as pages of a server. */
export interface InspectorPages {
  /** At `/` and its other addresses, its files under `/assets/`. Without a built one the page says how to get it. */
  readonly own: Page;
  /** To a browser at an address where nothing is: the inspector, which says so, with 404. Undefined for programs, and without a built one. */
  readonly lost: Page;
}

/** The inspector's pages. Its files are read once. */
export function createInspectorPages(folder: string = inspectorFolder()): InspectorPages {
  const index = readOne(join(folder, "index.html"));
  const assets = new Map<string, File | undefined>(
    listOf(join(folder, "assets")).map((name) => [`/assets/${name}`, readOne(join(folder, "assets", name))] as const),
  );
  const own: Page = async ({ method, url, header }) => {
    const asset = assets.get(url.pathname);
    const isPlace = asset === undefined && PLACES.has(url.pathname.split("/")[1] ?? "");
    if (asset === undefined && !isPlace) return undefined;
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
    if (asset !== undefined) return reply(asset, ASSET_HEADERS, header("accept-encoding"));
    return index === undefined ? NOT_BUILT : reply(index, PAGE_HEADERS, header("accept-encoding"));
  };
  const lost: Page = async ({ method, url, header }) => {
    const isBrowser = (method === "GET" || method === "HEAD") && /\btext\/html\b/i.test(header("accept") ?? "");
    if (!isBrowser || index === undefined || PROGRAMS.has(url.pathname.split("/")[1] ?? "")) return undefined;
    const page = reply(index, PAGE_HEADERS, header("accept-encoding"));
    return { ...page, status: 404, headers: { ...page.headers, vary: "accept, accept-encoding" } };
  };
  return { own, lost };
}

function reply(file: File, headers: Readonly<Record<string, string>>, accepted: string | undefined): PageReply {
  const isText = /^text|svg|json/.test(file.type) && file.bytes.length >= MIN_GZIP;
  const zip = isText && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accepted ?? "");
  if (zip) file.zipped ??= gzipSync(file.bytes, { level: 9 });
  return {
    status: 200,
    headers: { ...headers, "content-type": file.type, ...(isText && { vary: "accept-encoding" }), ...(zip && { "content-encoding": "gzip" }) },
    body: zip ? (file.zipped ?? file.bytes) : file.bytes,
  };
}

const NOT_BUILT: PageReply = {
  status: 503,
  headers: { ...PAGE_HEADERS, "content-type": "text/html; charset=utf-8" },
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Infinite Agent Streams</title>
<h1>The inspector is not built here</h1>
<p>Run <code>npm run build</code>, or start the server by <code>npm start</code>, which builds it. The agents answer all the same: see <a href="/a2a">/a2a</a>.</p></html>
`,
};

function listOf(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function readOne(path: string): File | undefined {
  return existsSync(path) ? { type: TYPES[extname(path)] ?? "application/octet-stream", bytes: readFileSync(path) } : undefined;
}
