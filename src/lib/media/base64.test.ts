import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { IasError } from "../model/errors.ts";
import { base64Size, decodeBase64 } from "./base64.ts";

test("every base64 text of either alphabet, padded or not, gives its bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      for (const form of [text, text.replace(/=+$/, ""), Buffer.from(bytes).toString("base64url")]) {
        assert.deepEqual(Uint8Array.from(decodeBase64(form, "raw")), bytes);
        assert.equal(base64Size(form), bytes.length);
      }
    }),
  );
});

for (const [text, says] of [
  ["dGN r", /holds " " at position 3/],
  ["dGNr\n", /holds "\\n" at position 4/],
  ["data:text/plain;base64,dGNr", /holds ":" at position 4.*no "data:" prefix/],
  ["dGNr=", /1 padding character too many or too few/],
  ["dGN==", /2 padding characters/],
  ["d===", /holds "=" at position 1/],
  ["dGNrd", /ends within a byte \(5 characters\)/],
  ["+_+_", /mixes the standard/],
  ["dGO", /bits after its last byte/],
] as const) {
  test(`${JSON.stringify(text)} is refused: ${says.source}`, () => {
    assert.throws(
      () => decodeBase64(text, "parts[2].raw"),
      (error) => error instanceof IasError && error.code === "invalid-params" && says.test(error.message) && error.fields[0]?.field === "parts[2].raw",
    );
  });
}
