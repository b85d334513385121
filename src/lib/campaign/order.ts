import { splitKey } from "../model/key.ts";
import { battleKey } from "./attempt.ts";
import type { Campaign } from "./campaign.ts";
import { createRandom } from "../model/random.ts";

/** A battle by its parts' ids. */
export interface Place {
  /** `subject/item/repeat`. */
  readonly battle: string;
  readonly subject: string;
  readonly item: string;
  readonly repeat: number;
}

/** The battles of a campaign in the order in which they are begun: for each subject all items, then all again as the next repeat. */
export interface Order {
  /** Battles that must succeed. */
  readonly target: number;
  /** The next battle of a subject; undefined when there is none. */
  take(subject: string): Place | undefined;
  has(subject: string): boolean;
  /** A battle was begun in an earlier run. */
  seen(place: Place): void;
  /** The item fails in the same way again and again with this subject: it is not taken for further repeats. */
  skip(place: Place): void;
  /** The battle of that name; undefined when the campaign has no such. */
  find(battle: string): Place | undefined;
}

/** With a target, so many times as many battles are begun at most: then it cannot be reached. */
const MOST_TRIES = 3;

/** The order of a campaign; with a seed, items are shuffled by it. */
export function createOrder(campaign: Campaign): Order {
  const items = campaign.seed === undefined ? campaign.items : shuffle(campaign.items, campaign.seed);
  const indexes = new Map(items.map(({ id }, index) => [id, index]));
  const planned = items.length * campaign.repeat;
  const all = planned * campaign.subjects.length;
  const target = campaign.target ?? all;
  const most = campaign.target === undefined ? planned : (MOST_TRIES * Math.max(target, all)) / campaign.subjects.length;
  /** Of each subject: the next index, and those after it that were begun already. Memory stays small because battles begin in order. */
  const lines = new Map(campaign.subjects.map(({ id }) => [id, { next: 0, ahead: new Set<number>(), skipped: new Set<string>() }]));

  function look(subject: string): { readonly index: number; readonly line: NonNullable<ReturnType<typeof lines.get>> } | undefined {
    const line = lines.get(subject);
    if (line === undefined) return undefined;
    for (; line.next < most; line.next += 1) {
      if (line.ahead.delete(line.next)) continue;
      const item = items[line.next % items.length];
      // Without a target each repeat is asked for, so it is begun all the same.
      if (item !== undefined && (campaign.target === undefined || !line.skipped.has(item.id))) return { index: line.next, line };
      if (line.skipped.size === items.length) return undefined;
    }
    return undefined;
  }

  return {
    target,
    take(subject) {
      const found = look(subject);
      if (found === undefined) return undefined;
      found.line.next += 1;
      const item = items[found.index % items.length];
      return item && placeOf(subject, item.id, 1 + Math.floor(found.index / items.length));
    },
    has: (subject) => look(subject) !== undefined,
    seen({ subject, item, repeat }) {
      const line = lines.get(subject);
      const index = (repeat - 1) * items.length + (indexes.get(item) ?? 0);
      if (line === undefined || index < line.next) return;
      line.ahead.add(index);
      while (line.ahead.delete(line.next)) line.next += 1;
    },
    skip: ({ subject, item }) => void lines.get(subject)?.skipped.add(item),
    find(battle) {
      const [subject = "", item = "", repeat = ""] = splitKey(battle);
      const number = Number(repeat);
      return lines.has(subject) && indexes.has(item) && Number.isSafeInteger(number) && number >= 1 ? placeOf(subject, item, number) : undefined;
    },
  };
}

function placeOf(subject: string, item: string, repeat: number): Place {
  return { battle: battleKey(subject, item, repeat), subject, item, repeat };
}

/** Fisher and Yates' shuffle: the same order for the same seed. */
function shuffle<T>(list: readonly T[], seed: number): readonly T[] {
  const all = [...list];
  const random = createRandom(seed);
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}
