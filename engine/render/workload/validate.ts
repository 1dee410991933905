import { isAlias, isMap as isMapNode, isSeq } from 'yaml';
import type { z } from 'zod';
import type { SourceFile } from '../source-file.ts';
import { isMap, Plain, type Value } from '../value.ts';
import { ENV_NAME, type WorkloadSpec, workloadSpec } from './specification.ts';

/**
 * Validates a service specification.
 * @throws RENDER_FAILED with position and field of the first error
 */
export function checkSpec(file: SourceFile, value: Value): WorkloadSpec {
  const result = workloadSpec().safeParse(toObject(file, value));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw issue ? validationError(file, issue) : file.fail(0, 'is not a valid service specification.');
}

/** Converts to objects for zod. A specification never has a key `__proto__`, so it is refused. */
function toObject(file: SourceFile, value: Value): unknown {
  if (typeof value === 'string') return value;
  if (value instanceof Plain) return typeof value.value === 'string' ? value.source : value;
  if (!isMap(value)) return value.map((item) => toObject(file, item));
  if (value.has('__proto__')) throw file.fail(0, 'the key __proto__ is not allowed.');
  return Object.fromEntries([...value].map(([key, item]) => [key, toObject(file, item)]));
}

function validationError(file: SourceFile, issue: z.core.$ZodIssue) {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = unknown === undefined ? issue.path : [...issue.path, unknown];
  const field = path.map(String).join('.');
  const { offset, found } = find(file, path);
  return file.fail(offset, found ? problemOf(issue) : 'is missing.', field === '' ? {} : { field });
}

/** Uses our own messages only (they end with a period): zod's may quote the value. */
function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'is not a field of a service specification.';
  if (issue.code === 'invalid_key') return ENV_NAME;
  if (issue.message.endsWith('.')) return issue.message;
  if (issue.code === 'invalid_type') return issue.expected === 'array' ? 'must be a list.' : 'must be a map.';
  return 'is not valid.';
}

/** The deepest existing node of the path: for a missing field, the map that lacks it. */
function find(file: SourceFile, path: readonly PropertyKey[]): { offset: number; found: boolean } {
  const [document] = file.documents;
  let node: unknown = document?.contents;
  let offset = document?.contents?.range?.[0] ?? 0;
  for (const step of path) {
    if (!isMapNode(node) && !isSeq(node)) return { offset, found: false };
    const next: unknown = node.get(typeof step === 'symbol' ? String(step) : step, true);
    if (typeof next !== 'object' || next === null) return { offset, found: next === null };
    if ('range' in next && Array.isArray(next.range)) offset = Number(next.range[0]);
    node = isAlias(next) && document ? next.resolve(document) : next;
  }
  return { offset, found: true };
}
