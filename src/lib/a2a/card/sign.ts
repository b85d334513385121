import type { Json, JsonObject } from "../../model/a2a.ts";
import type { SigningKey } from "../signing-key.ts";

/** `card` with its signatures (specification 8.4); `jku` is where the public key is. */
export async function signCard(card: JsonObject, key: SigningKey, jku: string): Promise<JsonObject> {
  // Loaded when a card is signed: most servers have no key, and need not hold the SDK for it.
  const { canonicalizeAgentCard } = await import("@a2a-js/sdk");
  const { signatures: _, ...unsigned } = card;
  const payload = canonicalJson(unsigned);
  // The official SDKs also leave out what is REQUIRED or set but empty, such as the scopes of a security requirement. Where that makes another text,
  // it is signed too: one signature that verifies is enough.
  const asSdks = canonicalizeAgentCard(unsigned as unknown as Parameters<typeof canonicalizeAgentCard>[0]);
  const signatures = await Promise.all(
    [...new Set([payload, asSdks])].map(async (text) => {
      const { protected: header, signature } = await key.sign(Buffer.from(text), { typ: "JOSE", jku });
      return { protected: header, signature };
    }),
  );
  return { ...unsigned, signatures };
}

/** RFC 8785: members sorted by UTF-16 code units, numbers and strings as ECMAScript writes them, no white space. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as Json)).join(",")}]`;
  const members = Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
}
