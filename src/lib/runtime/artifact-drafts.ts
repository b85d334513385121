import type { Agent } from "../engine/agent.ts";
import type { Artifact } from "../model/a2a.ts";
import { splitText } from "../model/cut-text.ts";
import { encodeEvent } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import type { Fold } from "../model/fold.ts";
import type { Draft } from "./draft.ts";

/** Chunks of a turn's artifacts as drafts: which one opens an artifact, and what is done with one that is full. */
export interface ArtifactDrafts {
  /** Text for the artifact `id`, in pieces that fit in an entry; `name` counts where the artifact opens. Throws `too-large`. */
  text(text: string, id: string, name: string | undefined): readonly Draft[];
  /** A chunk of any parts, `size` UTF-16 units long; `append` adds it to an artifact that is known, else it opens one. Throws `too-large`. */
  chunk(artifact: Artifact, size: number, options: { readonly append: boolean; readonly lastChunk?: boolean | undefined }): Draft;
  /** The artifact as given, in place of whatever it was. */
  replacement(artifact: Artifact): Draft;
}

/** The turn, and what bounds its artifacts. */
export interface ArtifactDraftsOptions {
  readonly task: string;
  readonly context: string;
  /** Full is what passes `limit`, UTF-16 units: then the turn fails, or the artifact begins anew. */
  readonly maxArtifactBytes: Agent["maxArtifactBytes"];
  /** Longest piece of text, UTF-16 units. */
  readonly maxPiece: number;
  readonly fold: Pick<Fold, "artifactSize" | "hasArtifact">;
}

/** Drafts for the artifacts of one turn's attempt. */
export function createArtifactDrafts(options: ArtifactDraftsOptions): ArtifactDrafts {
  const { fold } = options;
  const ids = { taskId: options.task, contextId: options.context };
  /** Artifacts that this attempt has opened: the first piece of any other replaces it, unless the agent appends to a known one. */
  const opened = new Set<string>();
  /** How large artifacts are with what was drafted here: the fold hears of a draft only when it is written. */
  const sizes = new Map<string, number>();
  /** What a token is, nearly always: its JSON is the same but for the text, and encoding only that takes a fifth of the time. */
  let lead = { id: "", json: "" };

  const draft = (artifact: Artifact, append: boolean, lastChunk?: boolean): Draft => ({
    audience: "public",
    event: { artifactUpdate: { ...ids, artifact, append, ...(lastChunk !== undefined && { lastChunk }) } },
  });
  const appendedText = (id: string, text: string): Draft => {
    const update = { ...ids, artifact: { artifactId: id, parts: [{ text }] }, append: true };
    if (lead.id !== id || lead.json === "") {
      const empty = encodeEvent({ artifactUpdate: { ...update, artifact: { artifactId: id, parts: [{ text: "" }] } } });
      lead = { id, json: empty.slice(0, -APPENDED_END.length - EMPTY_TEXT.length) };
    }
    return { audience: "public", event: { artifactUpdate: update }, json: lead.json + JSON.stringify(text) + APPENDED_END };
  };
  /** Whether the next chunk of `id` appends; says so to `opened`. A full artifact fails or rolls. */
  const place = (id: string, append: boolean, size: number): boolean => {
    const { limit, policy } = options.maxArtifactBytes;
    const before = append ? (sizes.get(id) ?? fold.artifactSize(id)) : 0;
    const full = append && before + size > limit;
    if (full && policy === "fail") {
      throw new IasError("too-large", `The artifact ${JSON.stringify(id)} would pass maxArtifactBytes (${limit}).`, { reason: "ARTIFACT_TOO_LARGE" });
    }
    opened.add(id);
    sizes.set(id, full ? size : before + size);
    return append && !full;
  };

  return {
    text: (text, id, name) =>
      splitText(text, options.maxPiece).map((piece) => {
        if (place(id, opened.has(id), piece.length)) return appendedText(id, piece);
        return draft({ artifactId: id, ...(name !== undefined && { name }), parts: [{ text: piece }] }, false);
      }),
    chunk(artifact, size, { append, lastChunk }) {
      const id = artifact.artifactId;
      return draft(artifact, place(id, append && fold.hasArtifact(id), size), lastChunk);
    },
    replacement: (artifact) => draft(artifact, false),
  };
}

/** How the JSON of an appended piece of text ends, after the text. */
const APPENDED_END = '}]},"append":true}}';
const EMPTY_TEXT = '""';
