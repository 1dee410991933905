/** A commit's changes held against those that were recomputed. */
import { type Entry, MODE, type PathChange, quotePath } from '../../model/index.ts';
import { canonical } from './changes.ts';
import { type Problem, problem } from '../problems.ts';

/** Problems that are named; of more only how many there are. */
const NAMED = 20;

type Made = Pick<PathChange, 'path' | 'after'>;

/** `isOther`: paths that may change besides. */
export function comparePaths(
  made: readonly Made[],
  meant: readonly Made[],
  isOther: (path: string) => boolean = () => false,
): Problem[] {
  const found = new Map(made.map(({ path, after }) => [path, after]));
  const wanted = new Map(meant.map(({ path, after }) => [path, after]));
  const problems: Problem[] = [];
  for (const path of [...new Set([...wanted.keys(), ...found.keys()])].sort()) {
    const isMade = found.has(path);
    if (!wanted.has(path)) {
      if (!isOther(path))
        problems.push(
          problem(
            'PATH_ADDED',
            `${quotePath(path)} changes: ${deed(found.get(path) ?? null)}, and the rollback does not touch it.`,
          ),
        );
      continue;
    }
    const [own, other] = [found.get(path) ?? null, wanted.get(path) ?? null];
    if (!isMade) {
      problems.push(
        problem(
          'PATH_MISSING',
          `${quotePath(path)} does not change: it should have been ${other === null ? 'removed' : 'restored'}.`,
        ),
      );
      continue;
    }
    const difference = differenceOf(path, own, other);
    if (difference !== null) problems.push(difference);
  }
  return cut(problems);
}

const deed = (after: Entry | null) => (after === null ? 'it is removed' : 'it is written');

function differenceOf(path: string, own: Entry | null, meant: Entry | null): Problem | null {
  const name = quotePath(path);
  if (own === null && meant === null) return null;
  if (own === null) return problem('CONTENT_DIFFERS', `${name} is removed: it should have been restored.`);
  if (meant === null) return problem('CONTENT_DIFFERS', `${name} is written: it should have been removed.`);
  const mode = canonical(meant.mode);
  if (own.mode !== mode)
    return problem('MODE_DIFFERS', `${name} is ${kindOf(own.mode)}: it should be ${kindOf(mode)}.`);
  if (own.id !== meant.id)
    return problem('CONTENT_DIFFERS', `${name} holds ${short(own.id)}: recomputed was ${short(meant.id)}.`);
  return null;
}

const KINDS: Readonly<Record<string, string>> = {
  [MODE.file]: 'a file',
  [MODE.executable]: 'an executable file',
  [MODE.symlink]: 'a symlink',
  [MODE.submodule]: 'a submodule',
};
const kindOf = (mode: string) => KINDS[mode] ?? `of mode ${mode}`;
const short = (id: string) => id.slice(0, 10);

/** As many as a person reads. */
export function cut(problems: readonly Problem[]): Problem[] {
  const [last] = problems.slice(NAMED);
  if (last === undefined) return [...problems];
  const rest = problems.length - NAMED;
  return [...problems.slice(0, NAMED), problem(last.code, `${rest} more paths differ.`)];
}
