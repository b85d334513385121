import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { isLoopbackHost, isLoopbackUrl, literalAddress, zoneOf } from "./address.ts";

test("public addresses are public", () => {
  for (const address of ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:831::200e"])
    assert.equal(zoneOf(address), "public", address);
});

test("each range that is not globally routed has its zone", () => {
  const zones = {
    loopback: ["127.0.0.1", "127.255.255.254", "::1"],
    private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200", "fc00::1", "fd00:ec2::254"],
    refused: [
      [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
      ],
      ["::", "fe80::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "3fff::1", "5f00::1", "2001:2::1", "4000::1", "e000::1"],
      [
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:0:127.0.0.1",
        "2002:7f00:1::",
        "2002:808:808::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:0:4136:e378::1",
      ],
      ["", "localhost", "127.1", "0x7f.1", "fe80::1%eth0", "[::1]", "1.2.3", "1.2.3.4.5", "300.1.1.1"],
    ].flat(),
  } as const;
  for (const [zone, addresses] of Object.entries(zones)) for (const address of addresses) assert.equal(zoneOf(address), zone, address);
});

const octet = fc.integer({ min: 0, max: 255 });
const spell = (value: number, style: number): string =>
  [String(value), `0x${value.toString(16)}`, `0X${value.toString(16).toUpperCase()}`, `0${value.toString(8)}`, `0x000${value.toString(16)}`][style % 5] ?? "";
const style = fc.integer({ min: 0, max: 4 });

test("every spelling of an IPv4 address in a URL is judged as the address that it spells", () => {
  fc.assert(
    fc.property(
      octet,
      octet,
      octet,
      octet,
      fc.array(style, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      (a, b, c, d, styles, parts, dot) => {
        const values = [[a * 2 ** 24 + b * 2 ** 16 + c * 256 + d], [a, b * 2 ** 16 + c * 256 + d], [a, b, c * 256 + d], [a, b, c, d]][parts - 1] ?? [];
        const host = values.map((value, index) => spell(value, styles[index] ?? 0)).join(".") + (dot ? "." : "");
        const literal = literalAddress(new URL(`http://${host}/`).hostname);
        assert.equal(literal, `${a}.${b}.${c}.${d}`, host);
        assert.equal(zoneOf(literal ?? ""), zoneOf(`${a}.${b}.${c}.${d}`));
      },
    ),
    { numRuns: 500 },
  );
});

test("no IPv6 form that embeds an IPv4 address is ever allowed, in any spelling", () => {
  const embed = [
    (high: string, low: string, dotted: string) => [
      `::ffff:${dotted}`,
      `::ffff:${high}:${low}`,
      `0:0:0:0:0:FFFF:${high}:${low}`,
      `0000:0000:0000:0000:0000:ffff:${dotted}`,
    ],
    (high: string, low: string, dotted: string) => [
      `64:ff9b::${dotted}`,
      `64:ff9b::${high}:${low}`,
      `64:FF9B:1::${high}:${low}`,
      `2002:${high}:${low}::1`,
      `2002:${high}:${low}::`,
    ],
    (high: string, low: string, dotted: string) =>
      [`::ffff:0:${dotted}`, `::2:${dotted}`, `2001:0:${high}:${low}::1`].concat(dotted === "0.0.0.1" ? [] : [`::${dotted}`]),
  ];
  fc.assert(
    fc.property(octet, octet, octet, octet, (a, b, c, d) => {
      const high = (a * 256 + b).toString(16);
      const low = (c * 256 + d).toString(16);
      for (const forms of embed) {
        for (const form of forms(high, low, `${a}.${b}.${c}.${d}`)) {
          const literal = literalAddress(new URL(`http://[${form}]/`).hostname);
          assert.equal(zoneOf(literal ?? ""), "refused", form);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("names are not literals", () => {
  for (const host of ["localhost", "example.com", "a.b", "xn--p1ai"]) assert.equal(literalAddress(new URL(`http://${host}`).hostname), undefined);
});

test("a URL that spells loopback is known as such", () => {
  for (const url of ["http://127.0.0.1:4000/a", "http://localhost", "https://a.localhost/", "http://[::1]:1/", "http://0x7f.1/"])
    assert.equal(isLoopbackUrl(url), true, url);
  for (const url of ["", "http://example.com", "http://10.0.0.1", "http://localhost.example.com", "http://[::ffff:127.0.0.1]/"])
    assert.equal(isLoopbackUrl(url), false, url);
});

test("only addresses of this machine are loopback", () => {
  for (const host of ["localhost", "127.0.0.1", "127.255.0.1", "::1"]) assert.ok(isLoopbackHost(host), host);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com", ""]) assert.ok(!isLoopbackHost(host), host);
});
