import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { IasError } from "../model/errors.ts";
import { boundaryOf, type MultipartOptions, readMultipart } from "./multipart.ts";

interface Read {
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly content: Buffer;
}

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes.length === 0 ? bytes.length : Math.max(1, sizes[n % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(body: Buffer, options: MultipartOptions, sizes: readonly number[] = []): Promise<Read[]> {
  const parts: Read[] = [];
  for await (const { body: content, ...head } of readMultipart(inPieces(body, sizes), options)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    parts.push({ ...head, content: Buffer.concat(chunks) });
  }
  return parts;
}

async function refusal(body: string | Buffer, options: Partial<MultipartOptions> = {}, sizes: readonly number[] = []): Promise<IasError> {
  try {
    await read(Buffer.from(body), { boundary: "b", ...options }, sizes);
  } catch (error) {
    assert.ok(error instanceof IasError, String(error));
    return error;
  }
  return assert.fail(`it was read: ${String(body).slice(0, 200)}`);
}

/** A part as its text. */
function part(disposition: string, content = "x", more = ""): string {
  return `--b\r\nContent-Disposition: ${disposition}\r\n${more}\r\n${content}\r\n`;
}

test("what fetch makes of a FormData comes back, whatever the contents, names and pieces are", async () => {
  // A backslash before a quote is an escape of older senders, and other control characters are refused: neither is in this comparison.
  const text = fc
    .array(fc.oneof(fc.string({ unit: "grapheme", maxLength: 8 }), fc.constantFrom('"', "\r\n", ";", "; filename=x", "'")))
    .map((all) => all.join("").replaceAll(/[\\%]/g, ""));
  const file = fc.record({
    name: text,
    filename: text,
    // Pieces of boundaries and line ends in the content are what a parser trips over.
    content: fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom("\r\n", "--", "\r\n--", "\r\n------formdata", "\r").map((text) => Buffer.from(text)),
      ),
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 5 }), async (files, sizes) => {
      const form = new FormData();
      const contents = files.map(({ content }) => Buffer.concat(content));
      files.forEach(({ name, filename }, at) => form.append(name, new File([Uint8Array.from(contents[at] ?? [])], filename, { type: "a/b" })));
      const request = new Request("http://x", { method: "POST", body: form });
      const boundary = boundaryOf(request.headers.get("content-type") ?? "") ?? assert.fail("no boundary");
      const parts = await read(Buffer.from(await request.arrayBuffer()), { boundary }, sizes);
      assert.deepEqual(
        parts.map(({ content }) => content),
        contents,
      );
      // A file without a name is sent as a plain field.
      const heads = files.map(({ name, filename }) => [name, filename === "" ? undefined : filename]);
      assert.deepEqual(
        parts.map((read) => [read.name, read.filename]),
        heads,
      );
    }),
    { numRuns: 150 },
  );
});

test("heads are read as browsers and older senders write them", async () => {
  const body = [
    part('form-data; name="a"; filename="x.png"', "1", "Content-Type: image/png\r\n"),
    part('form-data; name="q"; filename="say %22hi%22.txt"', ""),
    part('form-data; name=q; filename="say \\"hi\\" C:\\dir\\f.txt"', "3"),
    part("form-data; name=\"u\"; filename*=UTF-8''n%C3%A4me%20x.txt", "4"),
    part('FORM-DATA ; name="plain"', "5\r\n--\r\n--c"),
  ].join("");
  const parts = await read(Buffer.from(`${body}--b--\r\n`), { boundary: "b" }, [7]);
  assert.deepEqual(
    parts.map(({ content, ...head }) => ({ ...head, text: content.toString() })),
    [
      { name: "a", filename: "x.png", contentType: "image/png", text: "1" },
      { name: "q", filename: 'say "hi".txt', text: "" },
      { name: "q", filename: 'say "hi" C:\\dir\\f.txt', text: "3" },
      { name: "u", filename: "näme x.txt", text: "4" },
      { name: "plain", text: "5\r\n--\r\n--c" },
    ],
  );
});

test("a body that is cut anywhere is refused, and never read as whole", async () => {
  const body = Buffer.from(`${part('form-data; name="a"; filename="f"', "content", "Content-Type: text/plain\r\n")}--b--`);
  assert.equal((await read(body, { boundary: "b" })).length, 1);
  for (let at = 0; at < body.length; at += 1) assert.equal((await refusal(body.subarray(0, at))).code, "invalid-request", `at ${at}`);
});

test("bodies that only look like multipart are refused", async () => {
  const good = 'form-data; name="a"';
  const cases = [
    "",
    "hello",
    `preamble\r\n${part(good)}--b--`,
    `${part(good)}--bb--`,
    `${part(good)}--b-- and more`,
    `${part(good)}--b  \r\n\r\n`,
    `${part("attachment; name=a")}--b--`,
    `${part("form-data")}--b--`,
    `${part('form-data; name="a"; name="b"')}--b--`,
    `${part('form-data; name="a"; filename="a" b')}--b--`,
    `${part('form-data; name="a')}--b--`,
    `${part(good, "x", `Content-Disposition: ${good}\r\n`)}--b--`,
    `${part(good, "x", "Content-Type: a/b\r\n folded\r\n")}--b--`,
    `${part(good, "x", "Content-Transfer-Encoding: base64\r\n")}--b--`,
    `${part(good, "x", "no colon\r\n")}--b--`,
    `${part('form-data; name="a"; filename="a\0b"')}--b--`,
    `${part("form-data; name=a; filename*=UTF-8''%ff")}--b--`,
    `--b\r\n\r\nno head\r\n--b--`,
  ];
  for (const body of cases) assert.equal((await refusal(body)).reason, "MULTIPART_INVALID", body);
  assert.equal(
    (
      await refusal(
        Buffer.concat([Buffer.from("--b\r\nContent-Disposition: form-data; name=a; filename="), Buffer.from([0xff]), Buffer.from("\r\n\r\n\r\n--b--")]),
      )
    ).reason,
    "MULTIPART_INVALID",
  );
});

test("heads and parts have limits", async () => {
  const long = part(`form-data; name="${"n".repeat(2000)}"`);
  assert.equal((await refusal(`${long}--b--`, { maxHeadBytes: 1000 })).code, "too-large");
  assert.equal((await refusal(`--b\r\nX: ${"n".repeat(5000)}`, { maxHeadBytes: 1000 }, [100])).code, "too-large");
  const three = part('form-data; name="a"').repeat(3);
  assert.equal((await refusal(`${three}--b--`, { maxParts: 2 })).reason, "MULTIPART_PARTS");
  assert.equal((await read(Buffer.from(`${three}--b--`), { boundary: "b", maxParts: 3 })).length, 3);
});

test("a content of any size is held as no more than one chunk", async () => {
  let given = 0;
  let taken = 0;
  let ahead = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n');
    for (; given < 64 * 1024 * 1024; given += 65_536) {
      ahead = Math.max(ahead, given - taken);
      yield Buffer.alloc(65_536, "\r\n--");
    }
    yield Buffer.from("\r\n--b--");
  }
  for await (const { body } of readMultipart(endless(), { boundary: "b" })) for await (const chunk of body) taken += chunk.byteLength;
  assert.equal(taken, 64 * 1024 * 1024);
  assert.ok(ahead < 2 * 65_536, `${ahead} bytes ahead`);
});

test("a content that is not read is skipped, and the source is let go when the reader stops", async () => {
  const names: string[] = [];
  for await (const { name } of readMultipart(
    inPieces(Buffer.from(`${part('form-data; name="a"', "y".repeat(1000))}${part('form-data; name="c"')}--b--`), [9]),
    { boundary: "b" },
  ))
    names.push(name);
  assert.deepEqual(names, ["a", "c"]);
  let returned = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from(part('form-data; name="a"'));
      yield Buffer.from("--b--");
    } finally {
      returned = true;
    }
  }
  for await (const _ of readMultipart(source(), { boundary: "b" })) break;
  assert.ok(returned);
});

test("the boundary is found in its forms and nowhere else", () => {
  assert.equal(boundaryOf("multipart/form-data; boundary=----abc"), "----abc");
  assert.equal(boundaryOf('Multipart/Form-Data;boundary="a b"'), "a b");
  for (const both of ["charset=utf-8; boundary=a", "boundary=a; charset=utf-8", 'charset="utf-8";boundary="a"'])
    assert.equal(boundaryOf(`multipart/form-data; ${both}`), "a", both);
  for (const other of [
    undefined,
    "",
    "text/plain; boundary=a",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=a; boundary=b",
    "multipart/form-data; xboundary=a",
    'multipart/form-data; charset="; boundary=a',
    `multipart/form-data; ${"a=b;".repeat(3000)} boundary=a`,
    `multipart/form-data; boundary=${"a".repeat(71)}`,
    'multipart/form-data; boundary="a\r\nb"',
  ])
    assert.equal(boundaryOf(other), undefined, String(other));
});
