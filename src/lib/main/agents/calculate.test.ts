import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { calculate } from "./calculate.ts";

const right: readonly (readonly [string, number])[] = [
  ["2*21", 42],
  ["1 + 2 * 3", 7],
  ["(1 + 2) * 3", 9],
  ["-2 ^ 2", -4],
  ["2 ^ 3 ^ 2", 512],
  ["2 ^ -1", 0.5],
  ["10 - 4 - 3", 3],
  ["7 % 4", 3],
  ["0.1 + 0.2", 0.3],
  ["1e3 / 4", 250],
  ["sqrt(16) + max(1, 2, 3)", 7],
  ["2 × 3 ÷ 4", 1.5],
  ["2 ** 10", 1024],
  ["round(pi)", 3],
  ["--1", 1],
];
for (const [expression, value] of right) test(`${expression} is ${value}`, () => assert.equal(calculate(expression), value));

const wrong: readonly (readonly [string, RegExp])[] = [
  ["", /ends too early/],
  ["1 +", /ends too early/],
  ["1 2", /"2" at position 3/],
  ["(1", /ends too early/],
  ["1 / 0", /not a number/],
  ["sqrt(-1)", /not a number/],
  ["process.exit(1)", /"process" is unknown/],
  ["constructor", /"constructor" is unknown/],
  ["sqrt 4", /parentheses/],
  ["(".repeat(400), /50 deep/],
  ["-".repeat(400), /50 deep/],
  ["1".repeat(501), /501 characters/],
];
for (const [expression, message] of wrong) {
  test(`${expression.slice(0, 20) || "nothing"} is refused`, () => assert.throws(() => calculate(expression), { code: "invalid-params", message }));
}

test("any text is a number or a clear error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."0123456789.+-*/%^()e pi,sqrtmax".split("")) })), (text) => {
      try {
        return Number.isFinite(calculate(text));
      } catch (error) {
        return error instanceof Error && error.message.startsWith("This cannot be calculated");
      }
    }),
  );
});
