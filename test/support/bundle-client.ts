import { build, type Rolldown } from "vite";

/** Minified code of a module that imports from the package: what a page loads. */
export async function bundleClient(text: string): Promise<string> {
  const entry = "virtual:page";
  const built = (await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@infinite-agent-streams/source", "browser", "module"] },
    plugins: [{ name: "page", resolveId: (id) => (id === entry ? `\0${entry}` : null), load: (id) => (id === `\0${entry}` ? text : null) }],
    build: { write: false, minify: true, target: "es2022", modulePreload: false, rolldownOptions: { input: entry, preserveEntrySignatures: "strict" } },
  })) as Rolldown.RolldownOutput;
  return built.output.map((file) => (file.type === "chunk" ? file.code : "")).join("");
}
