/** The commit that the beginning of an id means. */
import { BacktrailError, type ObjectFormat, type ObjectId } from '../../model/index.ts';
import type { Runner } from '../process/runner.ts';
import type { NativeObjects } from '../store/objects.ts';

/**
 * Abbreviations are looked up among the objects, never among the refs: a branch named `deadbeef` means nothing here.
 */
export async function findCommit(search: {
  runner: Runner;
  objects: NativeObjects;
  format: ObjectFormat;
  abbreviated: string;
}): Promise<ObjectId | null> {
  const { runner, objects } = search;
  const digits = search.format === 'sha1' ? 40 : 64;
  const prefix = parseAbbreviation(search.abbreviated, digits);
  const candidates =
    prefix.length === digits
      ? [prefix]
      : (await runner.text(['rev-parse', `--disambiguate=${prefix}`])).split('\n').filter(Boolean);
  return soleCommit(prefix, candidates, objects);
}

/** In lower case. REVISION_INVALID for anything but 4 to `digits` hexadecimal digits. */
export function parseAbbreviation(abbreviated: string, digits: number): string {
  const prefix = abbreviated.toLowerCase();
  if (/^[0-9a-f]{4,}$/.test(prefix) && prefix.length <= digits) return prefix;
  throw new BacktrailError('REVISION_INVALID', `'${abbreviated.slice(0, 80)}' is not a valid commit id.`);
}

/** The one commit among the objects that begin with the prefix, or null. @throws REVISION_INVALID where there are several */
export async function soleCommit(
  prefix: string,
  candidates: readonly ObjectId[],
  objects: { type(id: ObjectId): Promise<string | null> },
): Promise<ObjectId | null> {
  const types = await Promise.all(candidates.map((id) => objects.type(id)));
  const commits = candidates.filter((_, index) => types[index] === 'commit');
  if (commits.length > 1)
    throw new BacktrailError(
      'REVISION_INVALID',
      `'${prefix}' is ambiguous: it begins ${commits.length} commit ids.`,
      {
        hint: 'Write more digits of the commit id.',
        details: { candidates: commits.slice(0, 10) },
      },
    );
  return commits[0] ?? null;
}

export function beyondCut(what: string): BacktrailError {
  return new BacktrailError('SHALLOW_TARGET', `${what} is not in this shallow clone.`);
}
