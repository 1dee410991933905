import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { BacktrailError, type FailureDetails, quotePath } from '../model/index.ts';

/** A parsed YAML or JSON file. */
export interface SourceFile {
  readonly path: string;
  readonly documents: readonly Document[];
  /** The error for a position in the file. `problem` is the end of a sentence and must not contain content of the file. */
  fail(offset: number, problem: string, extra?: FailExtra): BacktrailError;
}

interface FailExtra {
  readonly hint?: string;
  /** Dotted path of the field. */
  readonly field?: string;
  readonly details?: FailureDetails;
}

const MAX_BYTES = 1024 * 1024;

/** @throws RENDER_FAILED above 1 MiB (or `maxBytes`), for text that is not UTF-8, and for invalid YAML */
export function readSource(path: string, bytes: Uint8Array, maxBytes = MAX_BYTES): SourceFile {
  if (bytes.byteLength > maxBytes)
    throw failure(path, `is larger than ${maxBytes / 1024 / 1024} MiB, the most that is rendered.`);
  const lineCounter = new LineCounter();
  const fail: SourceFile['fail'] = (offset, problem, { hint, field, details } = {}) => {
    const { line, col } = lineCounter.linePos(offset);
    const place = `${quotePath(path)}:${line}:${col}`;
    return new BacktrailError(
      'RENDER_FAILED',
      `${place}: ${field === undefined ? '' : `${field}: `}${problem}`,
      {
        ...(hint === undefined ? {} : { hint }),
        details: { ...details, path, line, column: col, ...(field === undefined ? {} : { field }) },
      },
    );
  };
  const documents = parse(path, decode(path, bytes), lineCounter);
  for (const document of documents) {
    const [error] = document.errors;
    // The parser's message may quote the file, which may have a secret: use the code only.
    if (error) throw fail(error.pos[0], `not valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')}).`);
  }
  return { path, documents, fail };
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw failure(path, 'is not UTF-8 text.');
  }
}

function parse(path: string, text: string, lineCounter: LineCounter): readonly Document[] {
  try {
    const options = {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
      version: '1.2',
    } as const;
    const documents = parseAllDocuments(text, options);
    return Array.isArray(documents) ? documents : [];
  } catch {
    throw failure(path, 'is nested too deeply.');
  }
}

const failure = (path: string, problem: string) =>
  new BacktrailError('RENDER_FAILED', `${quotePath(path)} ${problem}`, { details: { path } });
