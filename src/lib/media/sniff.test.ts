import assert from "node:assert/strict";
import test from "node:test";
import { IasError } from "../model/errors.ts";
import { agreeType, servedType, sniffType } from "./sniff.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const PNG = bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
const MP4 = bytes("\0\0\0\x20ftypisom\0\0\0\0");
const WEBM = bytes("\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1f");
const ZIP = bytes("PK\x03\x04\x14\0\0\0");

test("first bytes tell the type", () => {
  const cases: readonly (readonly [Uint8Array, string | undefined])[] = [
    [PNG, "image/png"],
    [bytes("\xff\xd8\xff\xe0\0\x10JFIF"), "image/jpeg"],
    [bytes("GIF87a\x01\0"), "image/gif"],
    [bytes("RIFF\x24\0\0\0WAVEfmt "), "audio/wav"],
    [bytes("RIFF\x24\0\0\0WEBPVP8 "), "image/webp"],
    [MP4, "video/mp4"],
    [bytes("\0\0\0\x20ftypM4A \0\0\0\0"), "audio/mp4"],
    [bytes("\0\0\0\x20ftypavif\0\0\0\0"), "image/avif"],
    [bytes("ID3\x04\0"), "audio/mpeg"],
    [bytes("OggS\0\x02"), "audio/ogg"],
    [bytes("%PDF-1.7\n"), "application/pdf"],
    [Buffer.from("Grüße, 東京 😀\n\ttext"), "text/plain"],
    [Buffer.from("x".repeat(4095) + "ü").subarray(0, 4096), "text/plain"],
    [bytes(""), "text/plain"],
    [bytes("a\0b"), undefined],
    [bytes("\xe4\xf6\xfc caf\xe9 "), undefined],
  ];
  for (const [content, type] of cases) assert.equal(sniffType(content), type, Buffer.from(content.subarray(0, 12)).toString("latin1"));
});

test("a claim that fits its content stands, other names of a type are one", () => {
  const cases: readonly (readonly [string | undefined, Uint8Array, string, string])[] = [
    ["image/png", PNG, "a", "image/png"],
    ["audio/mp4", MP4, "a", "audio/mp4"],
    ["audio/webm;codecs=opus", WEBM, "voice.webm", "audio/webm"],
    [
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      ZIP,
      "a.docx",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    ["Image/JPG", bytes("\xff\xd8\xff\xe0"), "a.jpg", "image/jpeg"],
    ["text/markdown", bytes("# Hi"), "a.md", "text/markdown"],
    ["application/json", bytes("{}"), "a", "application/json"],
    ["image/svg+xml", bytes("<svg/>"), "a.svg", "image/svg+xml"],
    ["application/x-own", bytes("\0\x01\x02"), "a.own", "application/x-own"],
    ["application/x-own", bytes("text"), "a.own", "application/x-own"],
    [undefined, PNG, "a", "image/png"],
    ["application/octet-stream", bytes("a,b"), "a.CSV", "text/csv"],
    ["", bytes("a,b"), "a", "text/plain"],
    [undefined, bytes("\0\x01\x02"), "a.txt", "application/octet-stream"],
  ];
  for (const [claimed, content, name, type] of cases) assert.equal(agreeType(claimed, content, name), type, `${claimed} ${name}`);
});

test("a claim that its content speaks against is refused", () => {
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["image/png", bytes("<script>alert(1)</script>")],
    ["image/png", bytes("GIF89a")],
    ["image/png", bytes("\0\x01\x02")],
    ["text/plain", PNG],
    ["text/plain", bytes("a\0b")],
    ["application/json", ZIP],
    ["image/jpeg", bytes("MZ\x90\0\x03")],
    ["application/x-own", bytes("\x7fELF\x02")],
    ["video/mp4", WEBM],
    ['text/x"<script>', bytes("x")],
    ["text", bytes("x")],
    ["text/a b", bytes("x")],
  ];
  for (const [claimed, content] of cases) {
    assert.throws(
      () => agreeType(claimed, content, "f"),
      (error) => error instanceof IasError && error.code === "content-type-not-supported" && error.reason === "TYPE_MISMATCH",
      claimed,
    );
  }
});

test("a stored file is served by its content, its name decides only between kinds of text and of containers", () => {
  assert.equal(servedType(PNG, "a.html"), "image/png");
  assert.equal(servedType(bytes("<html>"), "a.html"), "text/html");
  assert.equal(servedType(bytes("<html>"), "a.png"), "text/plain");
  assert.match(servedType(ZIP, "a.docx"), /wordprocessingml/);
  assert.equal(servedType(ZIP, "a.mov"), "application/zip");
  assert.equal(servedType(bytes("\0\x01"), "a.mov"), "application/octet-stream");
});
