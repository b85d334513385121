import type { Part } from "../../../src/lib/model/a2a.ts";
import type { UploadedFile } from "../../../src/lib/model/api.ts";
import { IasError } from "../../../src/lib/model/errors.ts";
import { callApi } from "./call.ts";
import { server } from "./server.ts";
import { sizeWords } from "./words.ts";

/** A file that goes with the next message. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  /** Bytes; undefined for a file that the server has already. */
  readonly size: number | undefined;
  readonly state: "uploading" | "ready" | "failed";
  readonly why?: string;
  readonly part?: Part;
}

/** Small enough to go inside the message where the server takes no uploads, bytes. */
const MAX_INLINE = 1_000_000;

/** Hands a file to the server, and gives the part that sends it. Throws `IasError` that says what is wrong with the file. */
export async function uploadFile(file: File): Promise<Part> {
  const limit = server.peek()?.maxUploadBytes;
  if (limit !== undefined && file.size > limit) throw new IasError("too-large", `It has ${sizeWords(file.size)}; at most ${sizeWords(limit)} are taken.`);
  const form = new FormData();
  form.append("file", file, file.name);
  try {
    const answer = await callApi<UploadedFile | { readonly files: readonly UploadedFile[] }>("/api/uploads", { method: "POST", body: form });
    const uploaded = "files" in answer ? answer.files[0] : answer;
    if (uploaded === undefined) throw new IasError("invalid-request", "The server took no file.");
    const { url, mediaType, filename } = uploaded;
    return { url, mediaType, filename };
  } catch (error) {
    const known = IasError.from(error);
    if (known.code !== "not-found" && known.code !== "method-not-found") throw known;
    return inline(file);
  }
}

async function inline(file: File): Promise<Part> {
  if (file.size > MAX_INLINE) throw new IasError("too-large", `This server takes no uploads, and ${sizeWords(file.size)} are too much for a message.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return { raw: btoa(text), mediaType: file.type === "" ? "application/octet-stream" : file.type, filename: file.name };
}
