import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestEngine } from "./engine.ts";
import { installOnce, recipeFolder, run } from "./install.ts";

/** The oldest Node that `engines` in package.json promises; a test holds them equal. */
export const OLDEST_NODE = "22.19.0";

export const node22 = defineNode("node-22", OLDEST_NODE, "Node 22, the oldest that we promise");
export const node24 = defineNode("node-24", "24.18.0", "Node 24");

/** A Node release from the npm registry, next to the one that runs the tests. `node` is its binary. */
function defineNode(name: string, version: string, what: string): TestEngine<"node"> {
  // The publisher of these binaries names Apple's ARM differently.
  const prefix = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const spec = `${prefix}-${process.platform}-${process.arch}`;
  const folder = (cache: string): string => recipeFolder(cache, name, version);
  return {
    name,
    about: `${what}: the packed package installed, imported and served`,
    byHand: `npm test -- --all installs ${spec}@${version} from the npm registry`,
    find(cache) {
      const node = join(folder(cache), "node_modules", spec, "bin", "node");
      return existsSync(node) ? { node } : undefined;
    },
    install: (cache) =>
      installOnce(folder(cache), async (partial) => {
        await run("npm", [
          "install",
          "--prefix",
          partial,
          "--no-save",
          "--no-package-lock",
          "--ignore-scripts",
          "--no-audit",
          "--no-fund",
          `${spec}@${version}`,
        ]);
      }),
  };
}
