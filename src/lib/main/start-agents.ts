import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { StartAgents, StartAgentsOptions } from "../campaign/load-campaign.ts";
import type { AgentCommand } from "../campaign/read-scenario.ts";
import { fetchRawCard } from "../client/card.ts";
import { IasError } from "../model/errors.ts";
import { createGuardedFetch, type GuardedFetch } from "../net/guarded-fetch.ts";
import { systemClock } from "../stream/clock.ts";

/** As AgentBeats' runner waits. */
const READY_MS = 30_000;
const POLL_MS = 250;
const CARD_MS = 2000;
/** From SIGTERM to SIGKILL. */
const STOP_MS = 3000;
/** Set for each agent, so that a later runner knows it again. */
const MARK = "IAS_CAMPAIGN_AGENT";

interface Started {
  readonly command: AgentCommand;
  readonly pid: number;
  readonly log: string;
  /** Undefined for one that was taken over. */
  readonly child: ChildProcess | undefined;
}

/** See `StartAgents`. Programs inherit the environment and the working folder, as they do with AgentBeats' runner. */
export const startAgents: StartAgents = async (commands, options) => {
  if (commands.length === 0) return { [Symbol.asyncDispose]: async () => undefined };
  const logs = join(options.folder, "logs");
  mkdirSync(logs, { recursive: true });
  const kept = join(options.folder, "agents.json");
  const left = readLeft(kept);
  const started: Started[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(stopGroup));
    if (started.length > 0) rmSync(kept, { force: true });
  };
  await using fetch = createGuardedFetch({ allowLocal: true, allowPrivate: true });
  try {
    const mark = left?.mark ?? randomUUID();
    for (const command of commands) {
      const before = left?.agents.find((agent) => agent.role === command.role && agent.argv.join("\0") === command.argv.join("\0"));
      const log = join(logs, `${encodeURIComponent(command.role)}.log`);
      const isLeft = before !== undefined && isAlive(before.pid) && isMarked(before.pid, mark);
      if (!isLeft && (await hasCard(command.url, fetch, options.signal))) {
        throw new IasError(
          "conflict",
          `Something else answers at ${command.url} already, where ${command.role} is to be started: stop it, or take its cmd away to use it.`,
        );
      }
      const agent: Started = isLeft ? { command, pid: before.pid, log, child: undefined } : await launch(command, log, mark);
      started.push(agent);
      const agents = started.map(({ command: { role, argv }, pid }) => ({ role, argv, pid }));
      writeFileSync(kept, JSON.stringify({ mark, agents }));
      options.onAgent?.({ role: command.role, url: command.url, log, pid: agent.pid, takenOver: isLeft });
    }
    await Promise.all(started.map((agent) => untilReady(agent, fetch, options)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
};

async function launch(command: AgentCommand, log: string, mark: string): Promise<Started> {
  const [program = "", ...args] = command.argv;
  const out = openSync(log, "a");
  try {
    // A group of its own: what the program starts is stopped with it, and Ctrl-C at a terminal reaches the runner alone.
    const child = spawn(program, args, { stdio: ["ignore", out, out], detached: true, env: { ...process.env, [MARK]: mark } });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once("spawn", () => resolve(child.pid ?? 0));
      child.once("error", reject);
    });
    return { command, pid, log, child };
  } catch (error) {
    throw new IasError("configuration", `${command.role} cannot be started: ${program} (${(error as NodeJS.ErrnoException).code ?? String(error)}).`, {
      cause: error,
    });
  } finally {
    closeSync(out);
  }
}

async function untilReady(agent: Started, fetch: GuardedFetch, { signal }: StartAgentsOptions): Promise<void> {
  const { command, child } = agent;
  const until = performance.now() + READY_MS;
  for (;;) {
    if (await hasCard(command.url, fetch, signal)) return;
    if (signal.aborted) throw new IasError("aborted", "Starting the agents was aborted.");
    const ended = child?.exitCode ?? child?.signalCode ?? undefined;
    if (ended !== undefined) throw failed(agent, `ended (${ended}) before its card was there`);
    if (performance.now() > until) throw failed(agent, `has no agent card at ${command.url} after ${READY_MS / 1000} s`);
    await systemClock.sleep(POLL_MS, signal);
  }
}

async function hasCard(url: string, fetch: GuardedFetch, signal: AbortSignal): Promise<boolean> {
  try {
    await fetchRawCard(url, { fetch, headers: {}, signal: AbortSignal.any([signal, AbortSignal.timeout(CARD_MS)]) });
    return true;
  } catch (error) {
    // A card that is only for others is there.
    return error instanceof IasError && (error.code === "unauthenticated" || error.code === "forbidden");
  }
}

function failed({ command, log }: Started, what: string): IasError {
  const last = readFileSync(log, "utf8").trimEnd().split("\n").slice(-5).join("\n");
  return new IasError("unavailable", `${command.role} ${what}. Its log ${log} ends with:\n${last}`, { reason: "AGENT_NOT_READY" });
}

/** Ends a process and all that it started. */
async function stopGroup({ pid, child }: Started): Promise<void> {
  const gone = (): boolean => (child === undefined ? !isAlive(pid) : child.exitCode !== null || child.signalCode !== null);
  // Waits must keep the process alive: a runner that ends before its agents would leave them.
  const untilGone = async (): Promise<void> => {
    for (const until = performance.now() + STOP_MS; !gone() && performance.now() < until;) await wait(20);
  };
  signalGroup(pid, "SIGTERM");
  await untilGone();
  // What the program started may outlive it.
  signalGroup(pid, "SIGKILL");
  await untilGone();
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const leftSchema = z.object({ mark: z.string(), agents: z.array(z.object({ role: z.string(), argv: z.array(z.string()), pid: z.int().positive() })) });

/** Whom an earlier runner of this folder started and could not stop. */
function readLeft(file: string): z.infer<typeof leftSchema> | undefined {
  try {
    return leftSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

/** Whether a process is one of ours: ids are used again. Where its environment cannot be read, it is not. */
function isMarked(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`${MARK}=${mark}`);
  } catch {
    return false;
  }
}
