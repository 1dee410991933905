/** The incident file: text in, validated value out; every error names file, line and column. */
import { readFile } from 'node:fs/promises';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { BacktrailError } from '../../../engine/index.ts';
import { type Incident, incidentSchema, withHolds } from '../../../workers/incident/index.ts';

/** Characters. */
const LIMIT = 256 * 1024;

/** INVALID_REQUEST names the place. */
export async function readIncident(file: string): Promise<Incident> {
  const source = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw invalid(`The incident file ${file} cannot be read.`, cause);
  });
  if (source.length > LIMIT) throw invalid(`${file}:1:1: The file is larger than 256 KiB.`);
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}:${lines.linePos(offset).col}`;
  const [broken] = document.errors;
  if (broken) throw invalid(`${at(broken.pos[0])}: This is not valid YAML.`);
  const parsed = incidentSchema.safeParse(valueOf(document, file));
  if (parsed.success) return withHolds(parsed.data);
  const [first] = parsed.error.issues;
  const path = (first?.path ?? []).filter((step) => typeof step !== 'symbol');
  const where = path.length === 0 ? 'The file' : path.join('.');
  throw invalid(`${at(offsetOf(document, path))}: ${where}: ${first?.message ?? 'not valid'}.`);
}

function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch (cause) {
    throw invalid(`${file}:1:1: The aliases of this file cannot be resolved.`, cause);
  }
}

/** Where the deepest existing node of a path begins. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function invalid(sentence: string, cause?: unknown): BacktrailError {
  const hint = 'See `backtrail incident --help` for the form of the file.';
  return new BacktrailError('INVALID_REQUEST', sentence, { hint, cause });
}
