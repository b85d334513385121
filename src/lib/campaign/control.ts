import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Control, ControlState } from "./ledger.ts";

/** Wishes in memory, for ledgers without a folder. */
export function createMemoryControl(): Control {
  let state: ControlState = { paused: false, canceled: false, cancelBattles: [], requeueBattles: [] };
  return {
    read: async () => state,
    async write({ cancelBattles = [], requeueBattles = [], ...change }) {
      state = {
        ...state,
        ...change,
        cancelBattles: [...new Set([...state.cancelBattles, ...cancelBattles])],
        requeueBattles: [...new Set([...state.requeueBattles, ...requeueBattles])],
      };
    },
    async done(wish, battle) {
      const list = wish === "cancel" ? "cancelBattles" : "requeueBattles";
      state = { ...state, [list]: state[list].filter((other) => other !== battle) };
    },
  };
}

/**
 * Wishes as files of a folder, one each: several processes wish and carry out at once without reading and rewriting anything of each other's. A file has its
 * place with its whole content, by a rename. The folder is made at the first wish.
 */
export function createFileControl(folder: string): Control {
  const place = (name: string): string => join(folder, name);

  async function put(name: string, value: object): Promise<void> {
    await mkdir(folder, { recursive: true });
    const draft = place(`.${name}.${process.pid}`);
    await writeFile(draft, JSON.stringify(value));
    await rename(draft, place(name));
  }

  return {
    async read() {
      const names = await readdir(folder).catch((): string[] => []);
      const battles = async (wish: string): Promise<readonly string[]> => {
        const found = names.filter((name) => name.startsWith(`${wish}-`)).sort();
        // One that is carried out at this moment is gone.
        const texts = await Promise.all(found.map((name) => readFile(place(name), "utf8").catch(() => undefined)));
        return texts.flatMap((text) => (text === undefined ? [] : [(JSON.parse(text) as { readonly battle: string }).battle]));
      };
      return {
        paused: names.includes("paused"),
        canceled: names.includes("canceled"),
        cancelBattles: await battles("cancel"),
        requeueBattles: await battles("requeue"),
      };
    },
    async write({ paused, canceled, cancelBattles = [], requeueBattles = [] }) {
      const marks = { paused, canceled };
      for (const [name, wished] of Object.entries(marks)) {
        if (wished === true) await put(name, {});
        if (wished === false) await rm(place(name), { force: true });
      }
      for (const battle of cancelBattles) await put(fileOf("cancel", battle), { battle });
      for (const battle of requeueBattles) await put(fileOf("requeue", battle), { battle });
    },
    done: (wish, battle) => rm(place(fileOf(wish, battle)), { force: true }),
  };
}

/** A battle's name has characters that file systems do not take, and any length. */
function fileOf(wish: "cancel" | "requeue", battle: string): string {
  return `${wish}-${createHash("sha256").update(battle).digest("hex").slice(0, 24)}`;
}
