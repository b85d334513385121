import { createHash } from "node:crypto";
import type { Json, JsonObject } from "../model/a2a.ts";

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dce3, #343a46); --soft: light-dark(#5a6372, #9aa4b5); --ink: light-dark(#1c222c, #e6e9ef); --link: light-dark(#1f5fbf, #8ab4f8); }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: light-dark(#fff, #12151b); margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 6rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; } h3 { margin: 2rem 0 .2rem; font-size: 1rem; }
code, pre { font: 13px/1.5 ui-monospace, monospace; } pre { overflow: auto; border: 1px solid var(--line); border-radius: 6px; padding: .8rem; }
a { color: var(--link); } p { margin: .3rem 0; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; } td { border-top: 1px solid var(--line); padding: .25rem .6rem .25rem 0; vertical-align: top; } td:first-child { white-space: nowrap; }
`;

const HASH = createHash("sha256").update(STYLE).digest("base64");

/** Nothing runs here, and nobody may frame the page. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** An OpenAPI document as one page without scripts. */
export function referencePage(openApi: JsonObject): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const { info, paths, components } = openApi as unknown as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  const sections = [...Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? "")].map(
    ([tag, members]) => `<h2>${escape(tag)}</h2>${members.map(showOperation).join("")}`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([id, { description, ...schema }]) =>
      `<h3 id="${escape(id)}">${escape(id)}</h3><p>${escape(typeof description === "string" ? description : "")}</p><pre>${linked(schema)}</pre>`,
  );
  const body = [
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>API of ${escape(info.title)}</title>`,
    `<style>${STYLE}</style><h1>${escape(info.title)} ${escape(info.version)}</h1><p>${escape(info.description)}</p><p><a href="/api/openapi.json">openapi.json</a></p>`,
    ...sections,
    `<h2>Schemas</h2>${schemas.join("")}</html>`,
  ].join("\n");
  return { status: 200, headers: HEADERS, body };
}

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonObject>> };
}

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema: JsonObject }>>;

function showOperation({ path, method, operation }: { readonly path: string; readonly method: string; readonly operation: Operation }): string {
  const rows = operation.parameters.map(({ name, in: place, description = "" }) =>
    row(name, `${escape(description)} <span class="soft">${escape(place)}</span>`),
  );
  if (operation.requestBody !== undefined) rows.push(row("body", showContent(operation.requestBody.content)));
  for (const [status, { content = {} }] of Object.entries(operation.responses)) if (status !== "default") rows.push(row(status, showContent(content)));
  const about = operation.description === undefined ? "" : `<p class="soft">${escape(operation.description)}</p>`;
  return `<h3><code>${method.toUpperCase()} ${escape(path)}</code></h3><p>${escape(operation.summary)}</p>${about}<table>${rows.join("")}</table>`;
}

function row(name: string, value: string): string {
  return `<tr><td><code>${escape(name)}</code><td>${value}`;
}

function showContent(content: Content): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<code>${escape(type)}</code> ${schema["$ref"] === undefined ? `<code>${linked(schema, 0)}</code>` : linked(schema, 0)}`)
    .join(", ");
}

/** JSON with its references as links. */
function linked(schema: Json, indent = 2): string {
  return escape(JSON.stringify(schema, undefined, indent)).replaceAll(
    /\{\s*&quot;\$ref&quot;:\s*&quot;#\/components\/schemas\/(\w+)&quot;\s*\}/g,
    (_, id: string) => `<a href="#${id}">${id}</a>`,
  );
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
