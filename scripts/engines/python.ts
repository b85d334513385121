import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestEngine } from "./engine.ts";
import { installOnce, recipe, recipeFolder, run } from "./install.ts";

export interface PythonOptions {
  readonly name: string;
  readonly about: string;
  /** A file of pinned requirements beside this one. */
  readonly requirements: string;
  /** More to put into the folder, which holds the finished environment, made by the `sources` (paths from here); `files` names what it leaves there. */
  readonly also?: {
    readonly sources: readonly string[];
    readonly files: Readonly<Record<string, string>>;
    readonly run: (python: string, folder: string) => Promise<void>;
  };
}

/** A virtual environment with pinned packages from PyPI. `python` is its interpreter. Needs Python 3.11 or newer on PATH. */
export function definePython<Extra extends string = never>(options: PythonOptions): TestEngine<"python" | Extra> {
  const folder = (cache: string): string => recipeFolder(cache, options.name, [options.requirements, ...(options.also?.sources ?? [])].map(recipe).join());
  return {
    name: options.name,
    about: options.about,
    byHand: `Python 3.11 or newer with venv, then: npm test -- --all (or: python3 -m venv … && pip install -r scripts/engines/${options.requirements})`,
    find(cache) {
      const at = folder(cache);
      const places: Record<string, string> = { python: join(at, "bin", "python") };
      for (const [place, file] of Object.entries(options.also?.files ?? {})) places[place] = join(at, file);
      return Object.values(places).every((path) => existsSync(path)) ? (places as Record<"python" | Extra, string>) : undefined;
    },
    async install(cache) {
      const system = systemPython();
      await installOnce(folder(cache), async (partial) => {
        await run(system, ["-m", "venv", partial]);
        const python = join(partial, "bin", "python");
        const requirements = fileURLToPath(new URL(options.requirements, import.meta.url));
        await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements]);
        await options.also?.run(python, partial);
      });
    },
  };
}

function systemPython(): string {
  for (const command of ["python3", "python3.13", "python3.12", "python3.11", "python"]) {
    try {
      const version = execFileSync(command, ["-c", "import sys; print(sys.version_info >= (3, 11))"], { stdio: ["ignore", "pipe", "ignore"] });
      if (String(version).trim() === "True") return command;
    } catch {
      // Not there: try the next name.
    }
  }
  throw new Error("Python 3.11 or newer is not on PATH (Debian and Ubuntu: apt-get install python3 python3-venv)");
}
