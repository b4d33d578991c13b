/** A report's files as one ZIP, made while it is read: no more of it is held than the piece that is on its way. */
import { makeZip } from "client-zip";
import type { ReportFile } from "../domain/report/files.ts";

/** Numbers of people lie in these files: unpacked, they are for whoever asked alone. */
const FILE_MODE = 0o600;

/** Lines are put together until they are about so long: a piece of its own for each would cost more than what it carries. */
const PIECE_CHARACTERS = 65_536;

/**
 * Without compression, which would cost more time than the network saves. When the files throw, so does the stream, and the
 * ZIP has no directory: nothing opens half of it as if it were whole. workerd ends a response whose stream failed like any
 * other (https://github.com/cloudflare/workerd/issues/6818), so that the browser does not notice: the ZIP must tell.
 */
export const zipOf = (files: AsyncIterable<ReportFile>, writtenAtMs: number): ReadableStream<Uint8Array> =>
  makeZip(entries(files, new Date(writtenAtMs)));

async function* entries(files: AsyncIterable<ReportFile>, lastModified: Date) {
  for await (const { name, text } of files) {
    try {
      yield { name, lastModified, mode: FILE_MODE, input: bytesOf(text) };
    } catch {
      // The library throws here when whoever downloads breaks off: that is no fault, and an end.
      return;
    }
  }
}

/** As bytes: the library takes an empty text for the end of its file. */
async function* bytesOf(text: ReportFile["text"]): AsyncGenerator<Uint8Array> {
  const utf8 = new TextEncoder();
  let piece = "";
  for await (const part of text) {
    piece += part;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield utf8.encode(piece);
    piece = "";
  }
  yield utf8.encode(piece);
}
