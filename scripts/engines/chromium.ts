import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestEngine } from "./engine.ts";
import { run } from "./install.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** A browser on PATH. It is a program of the system: it is installed by apt where we are root, and by hand elsewhere. */
export const chromium: TestEngine<"browser"> = {
  name: "chromium",
  about: "a real browser: the page at / shows tokens as they arrive, resumes, approves, cancels, and obeys its content security policy",
  byHand: `apt-get install chromium (or another of ${NAMES.join(", ")} on PATH)`,
  find() {
    const browser = (process.env["PATH"] ?? "")
      .split(delimiter)
      .flatMap((folder) => NAMES.map((name) => join(folder, name)))
      .find(isExecutable);
    return browser === undefined ? undefined : { browser };
  },
  async install() {
    if (process.platform !== "linux" || process.getuid?.() !== 0)
      throw new Error("only root can install it here: apt-get install chromium, or put a Chrome on PATH");
    await run("apt-get", ["update", "-q"]);
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "chromium"], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  },
};

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
