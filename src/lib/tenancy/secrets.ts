import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import type { Records } from "../log/records.ts";
import { IasError } from "../model/errors.ts";
import { joinKey } from "../model/key.ts";

/** Encrypts what others entrusted to us (tokens, credentials) before it goes into records (SEMANTICS 26). */
export interface Secrets {
  /** Sealed text (AES-256-GCM). `place` is where it will stand: it opens nowhere else. */
  seal(text: string, place: string): string;
  /** @throws IasError `corrupt` when it was changed, moved, or sealed with another key. */
  open(sealed: string, place: string): string;
}

/** Bytes of a key. */
const KEY_BYTES = 32;

/** @throws IasError `configuration` unless `key` has 32 bytes. */
export function createSecrets(key: Uint8Array): Secrets {
  if (key.byteLength !== KEY_BYTES) throw new IasError("configuration", `The secret key must have ${KEY_BYTES} bytes, not ${key.byteLength}.`);
  return {
    seal(text, place) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(place));
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed, "base64");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 })
          .setAAD(Buffer.from(place))
          .setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
      } catch (error) {
        throw new IasError("corrupt", "A stored secret cannot be opened: the secret key is another one than it was sealed with.", { cause: error });
      }
    },
  };
}

/** The key of a data folder: read from `file`, or made there at the first start, readable by its owner only. */
export async function loadSecretKey(file: string): Promise<Uint8Array> {
  const made = randomBytes(KEY_BYTES).toString("base64");
  try {
    await writeFile(file, `${made}\n`, { flag: "wx", mode: 0o600, flush: true });
    await chmod(file, 0o600);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return Buffer.from((await readFile(file, "utf8")).trim(), "base64");
}

/** A key kept in the store that it seals: no more than a lock with the key in it, for stores whose keeper gave no other. Made once. */
export async function loadStoreKey(records: Records): Promise<Uint8Array> {
  const key = joinKey("server", "secret-key");
  const found = await records.get(key);
  if (found !== undefined) return Buffer.from(found.value, "base64");
  const made = randomBytes(KEY_BYTES).toString("base64");
  const put = await records.put({ key, value: made, ifVersion: 0 });
  return Buffer.from(put.ok ? made : (put.found?.value ?? made), "base64");
}
