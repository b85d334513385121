import { battleKey } from "../../campaign/attempt.ts";
import type { ControlState } from "../../campaign/ledger.ts";
import { battlesWithoutVerdict, readBattles } from "../../campaign/report/source.ts";
import { counted } from "../../campaign/report/words.ts";
import { type Args, type Command, EXIT, type Io, usageError } from "../command.ts";
import { toJsonLine } from "../terminal.ts";
import type { CampaignParts, OpenedResults } from "./parts.ts";
import { oneFolder } from "./status.ts";

const FOLDER = `The folder is a results folder, the campaign's name or its file; without one it is the only one in
results/. The runner sees it within a second; without a runner, the next run does.`;

const BATTLES = `A battle is subject/item/repeat as the results name it, subject/item, or an item's id (then it is
all its battles).`;

/** `ias campaign pause`. */
export function pauseCommand(parts: CampaignParts): Command {
  return {
    name: "pause",
    summary: "Start no more battles until `resume`",
    help: `Usage: ias campaign pause [folder] [options]

Starts no more battles; those that run go on.
${FOLDER}

  --json                one JSON line: { folder, wishes }

Exit codes: 0 fine; 1 error; 2 usage.

Examples:
  ias campaign pause results/nightly
`,
    options: {},
    run: async (args, io) => wish(parts, io, await parts.find(oneFolder(args)), { paused: true }, "No more battles start until `ias campaign resume`."),
  };
}

/** `ias campaign resume`. */
export function resumeCommand(parts: CampaignParts): Command {
  return {
    name: "resume",
    summary: "Take back `pause` and `cancel`",
    help: `Usage: ias campaign resume [folder] [options]

Takes back a pause, and the cancel of a whole campaign. A campaign that nobody runs is not started:
\`ias campaign run\` does that.
${FOLDER}

  --json                one JSON line: { folder, wishes }

Exit codes: 0 fine; 1 error; 2 usage.

Examples:
  ias campaign resume results/nightly
`,
    options: {},
    run: async (args, io) => wish(parts, io, await parts.find(oneFolder(args)), { paused: false, canceled: false }, "It goes on: battles start."),
  };
}

/** `ias campaign cancel`. */
export function cancelCommand(parts: CampaignParts): Command {
  return {
    name: "cancel",
    summary: "Stop a campaign, or single battles of it",
    help: `Usage: ias campaign cancel <folder> [battle...] [options]

Stops the whole campaign: battles that run are canceled, and its runner exits 130. With battles only
those are stopped and not tried again. What has been judged stays.
${FOLDER}
${BATTLES}

  --json                one JSON line: { folder, wishes }

Exit codes: 0 fine; 1 error; 2 usage.

Examples:
  ias campaign cancel results/nightly
  ias campaign cancel results/nightly llama/question-7
`,
    options: {},
    async run(args, io) {
      const { folder, names } = await target(parts, args);
      if (names.length === 0) return wish(parts, io, folder, { canceled: true }, "The campaign is to be canceled.");
      await using results = await parts.open(folder);
      const named = await findBattles(results, names);
      const ended = await endedBattles(results, new Set(named));
      const cancelBattles = named.filter((battle) => !ended.has(battle));
      const over = `${counted(ended.size, "battle")} ${ended.size === 1 ? "has" : "have"} ended already: there is nothing to cancel.`;
      if (cancelBattles.length === 0 && !io.json) {
        io.out(`${over}\n`);
        return EXIT.ok;
      }
      const said = `${counted(cancelBattles.length, "battle")} to be canceled.${ended.size > 0 ? ` ${over}` : ""}`;
      return await write(results, io, folder, { cancelBattles }, said);
    },
  };
}

/** `ias campaign requeue`. */
export function requeueCommand(parts: CampaignParts): Command {
  return {
    name: "requeue",
    summary: "Have battles tried again, as if they had not been",
    help: `Usage: ias campaign requeue <folder> [battle...] [options]

Has battles tried again. Their attempts so far are kept and count for nothing.
${FOLDER}
${BATTLES}

  --failed              all battles that ended without a verdict
  --json                one JSON line: { folder, wishes }

Exit codes: 0 fine; 1 error; 2 usage.

Examples:
  ias campaign requeue results/nightly --failed
  ias campaign requeue results/nightly llama/question-7/1 qwen/question-7/1
`,
    options: { failed: { type: "boolean" } },
    async run(args, io) {
      const { folder, names } = await target(parts, args);
      if (names.length === 0 && !args.flag("failed")) throw usageError("battles are needed, or --failed.");
      await using results = await parts.open(folder);
      const named = names.length === 0 ? [] : await findBattles(results, names);
      const failed = args.flag("failed") ? await battlesWithoutVerdict(results.source) : [];
      const requeueBattles = [...new Set([...named, ...failed])];
      const said = requeueBattles.length === 0 ? "No battle ended without a verdict." : `${counted(requeueBattles.length, "battle")} to be tried again.`;
      return await write(results, io, folder, { requeueBattles }, said);
    },
  };
}

async function target(parts: CampaignParts, args: Args): Promise<{ readonly folder: string; readonly names: readonly string[] }> {
  const [folder, ...names] = args.positionals;
  return { folder: await parts.find(folder), names };
}

/** Leaves a wish for the runner of a folder, and says so. */
async function wish(parts: CampaignParts, io: Io, folder: string, change: Partial<ControlState>, said: string): Promise<number> {
  await using results = await parts.open(folder);
  return await write(results, io, folder, change, said);
}

async function write({ control, hasRunner }: OpenedResults, io: Io, folder: string, change: Partial<ControlState>, said: string): Promise<number> {
  await control.write(change);
  io.out(
    io.json
      ? toJsonLine({ folder, wishes: await control.read() })
      : `${said}${hasRunner ? "" : " Nobody runs the campaign now: the next `ias campaign run` does it."}\n`,
  );
  return EXIT.ok;
}

/** The keys of the battles that are named. Throws a usage error for a name that no battle has. */
async function findBattles({ source }: OpenedResults, names: readonly string[]): Promise<readonly string[]> {
  const places = new Map<string, { readonly subject: string; readonly item: string; readonly repeat: number }>();
  const { subjects, items, repeat: repeats } = source.campaign;
  for (const { id: subject } of subjects)
    for (const { id: item } of items)
      for (let repeat = 1; repeat <= repeats; repeat += 1) places.set(battleKey(subject, item, repeat), { subject, item, repeat });
  for await (const { battle, subject, item, repeat } of readBattles(source)) places.set(battle, { subject, item, repeat });
  return names.flatMap((name) => {
    const found = [...places].filter(
      ([key, { subject, item, repeat }]) => name === key || name === `${subject}/${item}/${repeat}` || name === `${subject}/${item}` || name === item,
    );
    if (found.length === 0) throw usageError(`there is no battle ${JSON.stringify(name)}; one is ${[...places.keys()][0] ?? "subject/item/1"}.`);
    return found.map(([key]) => key);
  });
}

/** Of `names`, those that no runner would do anything for. */
async function endedBattles({ source }: OpenedResults, names: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const { battle, state } of readBattles(source))
    if (names.has(battle) && (state === "judged" || state === "canceled" || state === "given-up")) found.add(battle);
  return found;
}
