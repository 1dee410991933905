/** The incident file: text in, validated value out; every error names file, line and column. */
import { readFile } from 'node:fs/promises';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { BacktrailError, isIncidentId, requireReason } from '../../../engine/index.ts';

const text = z.string().trim().min(1).max(1000);
const schema = z.strictObject({
  id: text.refine(isIncidentId, 'has more than 200 characters, or some that cannot be seen'),
  reason: text.refine(isReason, 'nothing readable is left of the reason'),
  repo: text.optional(),
  config: z.undefined('a configuration has to be on the branch, as workers know no other').optional(),
  atomic: z.boolean().default(false),
  hold: z.boolean().optional(),
  holdFor: text.optional(),
  onFailure: z.enum(['continue', 'stop']).default('stop'),
  rollbacks: z
    .array(
      z.strictObject({
        scope: text,
        to: text.default('previous'),
        fields: z.array(text).max(100).default([]),
        allowRemoval: z.boolean().default(false),
        wholeFile: z.boolean().default(false),
        override: z.array(text).max(50).default([]),
        hold: z.boolean().optional(),
        holdFor: text.optional(),
      }),
    )
    .min(1)
    .max(500),
});

export type Incident = z.infer<typeof schema>;
export type RollbackInput = Incident['rollbacks'][number];

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
  const parsed = schema.safeParse(valueOf(document, file));
  if (parsed.success) return withHolds(parsed.data);
  const [first] = parsed.error.issues;
  const path = (first?.path ?? []).filter((step) => typeof step !== 'symbol');
  const where = path.length === 0 ? 'The file' : path.join('.');
  throw invalid(`${at(offsetOf(document, path))}: ${where}: ${first?.message ?? 'not valid'}.`);
}

/** What the file says of holds is for the rollbacks that say nothing. */
function withHolds(incident: Incident): Incident {
  const { hold, holdFor } = incident;
  const common = { ...(hold !== undefined && { hold }), ...(holdFor !== undefined && { holdFor }) };
  const rollbacks = incident.rollbacks.map((wish) =>
    wish.hold === undefined && wish.holdFor === undefined ? { ...wish, ...common } : wish,
  );
  return { ...incident, rollbacks };
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

function isReason(reason: string): boolean {
  try {
    requireReason(reason);
    return true;
  } catch {
    return false;
  }
}

function invalid(sentence: string, cause?: unknown): BacktrailError {
  const hint = 'See `backtrail incident --help` for the form of the file.';
  return new BacktrailError('INVALID_REQUEST', sentence, { hint, cause });
}
