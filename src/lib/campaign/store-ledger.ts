import { randomUUID } from "node:crypto";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { decodeEvent } from "../model/entry.ts";
import type { StreamResponse } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { readExtension } from "../model/extension.ts";
import type { StreamKey } from "../model/key.ts";
import type { StoredRecord } from "../log/records.ts";
import type { Store } from "../log/store.ts";
import type { Attempt } from "./attempt.ts";
import { ATTEMPTS, attemptKey, battlePrefix, fromStored, noteEntry, toStored } from "./attempt-record.ts";
import { createAttemptWriter } from "./attempt-writer.ts";
import { campaignFromText, campaignToText, canonicalText, settingsFromText } from "./campaign-text.ts";
import type { Control, Created, Ledger } from "./ledger.ts";
import { withSettings } from "./settings.ts";

/** What a ledger stands on. */
export interface StoreLedgerOptions {
  /** Disposed of with the ledger. */
  readonly store: Store;
  readonly control: Control;
  /** ms since the epoch. */
  readonly now: () => number;
}

const OWNER = "campaign runner";
const CAMPAIGN = "campaign";
/** Settings that replaced those of the campaign's text; absent while they have not changed. */
const SETTINGS = "settings";
/** The most that one read of attempts takes: with long answers, some MB. */
const PAGE = 100;
/** The campaign's text is kept in pieces of so many characters. */
const PIECE = 64 * 1024;

/** A ledger over any store. One that was opened for reading only refuses to write with `forbidden`. */
export function createStoreLedger({ store, control, now }: StoreLedgerOptions): Ledger {
  const { log, records } = store;

  /** The event of one entry. */
  async function load({ battle, attempt }: Pick<Attempt, "battle" | "attempt">, seq: number): Promise<StreamResponse | undefined> {
    const page = await log.read(streamOf(battle, attempt), { after: seq - 1, maxBytes: 1 });
    const entry = page?.entries[0];
    return entry === undefined ? undefined : decodeEvent(entry);
  }

  async function* list(prefix: string): AsyncGenerator<Attempt, void, undefined> {
    let after = "";
    for (;;) {
      const page: readonly StoredRecord[] = await records.list(prefix, { limit: PAGE, ...(after !== "" && { after }) });
      for (const record of page) yield await fromStored(record.value, load);
      if (page.length < PAGE) return;
      after = page.at(-1)?.key ?? "";
      // A ledger of 10,000 attempts is read while battles stream: they get their turns in between.
      await eventLoopTurn();
    }
  }

  async function take(attempt: Attempt): Promise<Awaited<ReturnType<typeof log.open>>> {
    const key = streamOf(attempt.battle, attempt.attempt);
    const page = await log.read(key, { after: 0, maxBytes: 0 });
    return log.open(key, { owner: OWNER, expect: page?.epoch ?? 0 });
  }

  return {
    control,
    async campaign() {
      const record = await records.get(CAMPAIGN);
      if (record === undefined) return undefined;
      // Ledgers of before there were nonces named their messages by the hash, and go on with those.
      const { hash, createdAt, nonce = hash } = JSON.parse(record.value) as Omit<Created, "nonce"> & Partial<Created>;
      let text = "";
      for (let after = 0; ;) {
        const page = await log.read(CAMPAIGN_STREAM, { after });
        for (const entry of page?.entries ?? []) {
          const data = readExtension(decodeEvent(entry));
          if (data?.kind === "note" && typeof data.value === "string") text += data.value;
          after = entry.seq;
        }
        if (page === undefined || after >= page.head) break;
      }
      const made = campaignFromText(text);
      const settings = await records.get(SETTINGS);
      return { campaign: settings === undefined ? made : withSettings(made, settingsFromText(settings.value)), hash, createdAt, nonce };
    },
    async change(settings) {
      await records.put({ key: SETTINGS, value: canonicalText(settings) });
    },
    async create(campaign, hash) {
      const opened = await log.open(CAMPAIGN_STREAM, { owner: OWNER, expect: (await log.read(CAMPAIGN_STREAM, { after: 0, maxBytes: 0 }))?.epoch ?? 0 });
      const there = await records.get(CAMPAIGN);
      if (!opened.ok || there !== undefined) {
        const other = there === undefined ? "another" : (JSON.parse(there.value) as { readonly hash: string }).hash;
        throw new IasError(
          "conflict",
          `The ledger belongs to the campaign ${other}, this one is ${hash}. Choose another folder, or go on with the same file.`,
          {
            reason: "CAMPAIGN_CHANGED",
            details: { found: other, given: hash },
          },
        );
      }
      const created: Created = { hash, createdAt: now(), nonce: randomUUID() };
      const text = campaignToText(campaign);
      const pieces = Array.from({ length: Math.ceil(text.length / PIECE) }, (_, index) => text.slice(index * PIECE, (index + 1) * PIECE));
      const entries = pieces.map((piece) => noteEntry("campaign", piece, { at: created.createdAt, gen: 0 }));
      const record = { key: CAMPAIGN, value: JSON.stringify(created), ifVersion: 0 };
      await log.append(CAMPAIGN_STREAM, { epoch: opened.epoch, firstSeq: opened.nextSeq, entries, records: [record], seal: true });
      return created;
    },
    async begin(attempt) {
      const { battle, attempt: number } = attempt;
      const record = { key: attemptKey(battle, number), value: toStored(attempt, 1).value, ifVersion: 0 };
      if ((await records.get(record.key)) !== undefined) throw new IasError("conflict", `Attempt ${number} of ${battle} is in the ledger already.`);
      const opened = await take(attempt);
      const key = streamOf(battle, number);
      // A runner that died between the two writes left a stream without a record: it is taken over.
      const begun = opened.ok ? await log.append(key, { epoch: opened.epoch, firstSeq: opened.nextSeq, entries: [], records: [record] }) : undefined;
      if (!opened.ok || begun?.kind !== "ok") throw new IasError("conflict", `Attempt ${number} of ${battle} is begun by somebody else.`);
      return createAttemptWriter({ log, key, epoch: opened.epoch, nextSeq: opened.nextSeq, gen: opened.gen, attempt, now });
    },
    async resume(attempt) {
      const opened = await take(attempt);
      if (!opened.ok) throw new IasError("conflict", `Attempt ${attempt.attempt} of ${attempt.battle} has ended (${opened.reason}).`);
      const key = streamOf(attempt.battle, attempt.attempt);
      return createAttemptWriter({ log, key, epoch: opened.epoch, nextSeq: opened.nextSeq, gen: opened.gen, attempt, now });
    },
    attempts: () => list(ATTEMPTS),
    async attemptsOf(battle) {
      const found: Attempt[] = [];
      for await (const attempt of list(battlePrefix(battle))) found.push(attempt);
      return found;
    },
    async discount(battle) {
      for await (const attempt of list(battlePrefix(battle))) {
        // Only the record changes: a long outcome stays where it is.
        const key = attemptKey(battle, attempt.attempt);
        const record = await records.get(key);
        if (record === undefined || attempt.endedAt === undefined || attempt.discounted === true) continue;
        await records.put({ key, value: JSON.stringify({ ...(JSON.parse(record.value) as object), discounted: true }) });
      }
    },
    async *events(battle, attempt, { after = 0 } = {}) {
      const key = streamOf(battle, attempt);
      for (let at = after; ;) {
        const page = await log.read(key, { after: at });
        for (const entry of page?.entries ?? []) {
          if (entry.audience !== "internal") yield { seq: entry.seq, at: entry.at, event: decodeEvent(entry) };
          at = entry.seq;
        }
        if (page === undefined || at >= page.head) return;
      }
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const CAMPAIGN_STREAM: StreamKey = { tenant: "campaign", user: "runner", agent: "campaign", task: "campaign" };

function streamOf(battle: string, attempt: number): StreamKey {
  return { tenant: "campaign", user: "runner", agent: "battle", task: `${battle}/${attempt}` };
}
