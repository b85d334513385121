import { keyText } from "../model/key.ts";
import { type SearchDocument, type SearchQuery, type TaskSearch, wordsOf } from "./search.ts";

/** Characters before and behind a hit. */
const AROUND = 60;

/** A search in this process' memory: it looks at every document of the caller. */
export function createMemorySearch(): TaskSearch {
  const documents = new Map<string, Kept>();
  let at = 0;
  return {
    position: async () => at,
    async put(given, position, gone = []) {
      for (const document of given) {
        const before = documents.get(keyText(document.key));
        const text = document.text ?? before?.text ?? "";
        documents.set(keyText(document.key), { ...document, text, folded: text === before?.text ? before.folded : fold(text) });
      }
      for (const key of gone) documents.delete(keyText(key));
      at = position;
    },
    async remove(key) {
      documents.delete(keyText(key));
    },
    async find(query) {
      const words = wordsOf(query.text).map(fold);
      if (words.length === 0) return { hits: [], total: 0, more: false };
      // Whole words, but for the last one.
      const patterns = words.map((word, index) => new RegExp(`(?<![\\p{L}\\p{N}])${word}${index === words.length - 1 ? "" : "(?![\\p{L}\\p{N}])"}`, "u"));
      const { after, limit } = query;
      const found = [...documents.values()].filter((document) => fits(document, query) && patterns.every((pattern) => pattern.test(document.folded)));
      const rest = found
        .filter(({ statusAt, key }) => after === undefined || statusAt < after.time || (statusAt === after.time && key.task < after.task))
        .toSorted((a, b) => b.statusAt - a.statusAt || (a.key.task < b.key.task ? 1 : -1));
      return {
        hits: rest.slice(0, limit).map(({ key, statusAt, text, folded }) => ({ key, statusAt, match: around(text, patterns[0]?.exec(folded)?.index ?? 0) })),
        total: found.length,
        more: rest.length > limit,
      };
    },
    async [Symbol.asyncDispose]() {
      documents.clear();
    },
  };
}

interface Kept extends SearchDocument {
  readonly text: string;
  readonly folded: string;
}

function fits({ key, context, state, statusAt }: Kept, query: SearchQuery): boolean {
  const { statusAfter = Number.NEGATIVE_INFINITY, statusUntil = Number.POSITIVE_INFINITY } = query;
  return (
    key.tenant === query.tenant &&
    key.user === query.user &&
    (query.agent === undefined || key.agent === query.agent) &&
    (query.context === undefined || context === query.context) &&
    (query.states === undefined || query.states.includes(state)) &&
    statusAt >= statusAfter &&
    statusAt <= statusUntil
  );
}

/** Without case and accents, of the same length. */
function fold(text: string): string {
  let folded = "";
  for (const one of text) {
    const plain = one.normalize("NFD").slice(0, one.length).toLowerCase();
    folded += plain.length === one.length ? plain : one;
  }
  return folded;
}

function around(text: string, at: number): string {
  const from = Math.max(0, at - AROUND);
  const piece = text
    .slice(from, at + AROUND)
    .toWellFormed()
    .replaceAll(/[\uFFFD\s]+/g, " ")
    .trim();
  return `${from > 0 ? "…" : ""}${piece}${at + AROUND < text.length ? "…" : ""}`;
}
