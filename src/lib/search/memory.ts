import { keyText } from "../model/key.ts";
import { type SearchDocument, type TaskSearch, wordsOf } from "./search.ts";

/** Characters before and behind a hit. */
const AROUND = 60;

/** A search in this process' memory: it looks at every document of the caller. */
export function createMemorySearch(): TaskSearch {
  const documents = new Map<string, SearchDocument & { readonly folded: string }>();
  let at = 0;
  return {
    position: async () => at,
    async put(given, position) {
      for (const document of given) documents.set(keyText(document.key), { ...document, folded: fold(document.text) });
      at = position;
    },
    async remove(key) {
      documents.delete(keyText(key));
    },
    async find({ tenant, user, agent, context, text, limit }) {
      const words = wordsOf(text).map(fold);
      if (words.length === 0) return [];
      // Whole words, but for the last one.
      const patterns = words.map((word, index) => new RegExp(`(?<![\\p{L}\\p{N}])${word}${index === words.length - 1 ? "" : "(?![\\p{L}\\p{N}])"}`, "u"));
      return [...documents.values()]
        .filter(({ key }) => key.tenant === tenant && key.user === user && (agent === undefined || key.agent === agent))
        .filter((document) => (context === undefined || document.context === context) && patterns.every((pattern) => pattern.test(document.folded)))
        .toSorted((a, b) => b.statusAt - a.statusAt)
        .slice(0, limit)
        .map(({ key, text: whole, folded }) => ({ key, match: around(whole, patterns[0]?.exec(folded)?.index ?? 0) }));
    },
    async [Symbol.asyncDispose]() {
      documents.clear();
    },
  };
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
