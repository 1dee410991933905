/** Whole paths: the entry of the target takes the place of the base's, or goes away. Kept parts stay the base's, byte for byte. */
import { type Entry, type FileChange, type Finding, type Kept, quotePath } from '../model/index.ts';
import { restoreField } from '../yaml/edit/edit.ts';
import { formatSelector } from '../yaml/core/selector.ts';
import { type Content, keptIn, type ScopeQuery, without } from '../snapshot/content.ts';
import type { DigestItem, DigestSide } from './digest.ts';
import type { KeptPart } from '../layout/keep.ts';
import type { Restored } from './context.ts';
import { keptSelection } from './restore-parts.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

interface Outcome {
  readonly file?: FileChange;
  readonly item?: DigestItem;
  readonly kept?: readonly Kept[];
  readonly findings?: readonly Finding[];
}

export async function restoreFiles(query: ScopeQuery, base: Content, target: Content): Promise<Restored> {
  const outcomes: Outcome[] = [];
  for (const path of [...new Set([...base.files.keys(), ...target.files.keys()])].sort()) {
    const [before, after] = [base.files.get(path), target.files.get(path)].map(entryOf);
    if (before?.id === after?.id && before?.mode === after?.mode) continue;
    outcomes.push(await restoreFile(query, { path, before: before ?? null, after: after ?? null }));
  }
  return {
    files: outcomes.flatMap(({ file }) => file ?? []),
    items: outcomes.flatMap(({ item }) => item ?? []),
    kept: outcomes.flatMap(({ kept }) => kept ?? []),
    findings: outcomes.flatMap(({ findings }) => findings ?? []),
  };
}

const entryOf = (entry: Entry | undefined): Entry | null =>
  (entry && { mode: entry.mode, id: entry.id }) || null;

interface Change {
  readonly path: string;
  readonly before: Entry | null;
  readonly after: Entry | null;
}

async function restoreFile({ snapshot, scope }: ScopeQuery, change: Change): Promise<Outcome> {
  const { path, before, after } = change;
  const kept = await keptIn(snapshot, path, [before, after]);
  if (kept.whole !== null && scope.mode === 'field') return keptSelection({ path, by: kept.whole }, true);
  if (kept.whole !== null) return before ? { kept: [{ path, by: kept.whole }] } : missing(path, kept.whole);
  if (kept.parts.length > 0) return restoreAround(snapshot, change, kept.parts);
  return { file: change, item: { path, selector: '', before: side(before), after: side(after) } };
}

/** Nothing stays where nothing is: what refers to it would find it missing. */
function missing(path: string, by: string): Outcome {
  const message = `${quotePath(path)} is kept out of rollbacks (keep: ${by}) and is not there now, so it stays missing.`;
  return { findings: [{ code: 'KEPT_PATH', severity: 'warn', message, path }] };
}

const side = (entry: Entry | null): DigestSide | null => entry && { mode: entry.mode, bytes: entry.id };

/** The target's file with the base's kept parts spliced in. */
async function restoreAround(
  snapshot: Snapshot,
  { path, before, after }: Change,
  parts: readonly KeptPart[],
): Promise<Outcome> {
  // What is gone now holds nothing that could be kept: it comes back without.
  const old = before === null ? '' : await snapshot.text(before);
  const then = await snapshot.text(after);
  if (old === null || then === null || after === null) {
    return refuse(
      path,
      parts,
      `${quotePath(path)} holds a kept part and is not there as a text file on both sides`,
    );
  }
  let text = then;
  const gone: Outcome[] = [];
  for (const { selector, by } of parts) {
    const result = restoreField({ path, base: text, target: old, selector });
    if (!result.ok) return refuse(path, parts, result.message);
    const own = result.operations.find(
      ({ op, selector: at }) => op !== 'replace' && at === formatSelector(selector),
    );
    if (own?.op === 'add')
      return refuse(
        path,
        parts,
        `${quotePath(path)}#${formatSelector(selector)} is kept and stands on one side only`,
      );
    if (own?.op === 'remove') gone.push(missing(`${path}#${formatSelector(selector)}`, by));
    text = result.text;
  }
  const content = new TextEncoder().encode(text);
  const id = snapshot.hasher.blobId(content);
  const findings = gone.flatMap((outcome) => outcome.findings ?? []);
  const missed = new Set(findings.map(({ path: place }) => place));
  const kept = parts
    .map(({ selector, by }) => ({ path, selector: formatSelector(selector), by }))
    .filter(({ selector }) => !missed.has(`${path}#${selector}`));
  if (id === before?.id && after.mode === before.mode) return { kept, findings };
  const file: FileChange = {
    path,
    before,
    after: id === after.id ? after : { mode: after.mode, id, content },
  };
  const item: DigestItem = {
    path,
    selector: '',
    before: before && { mode: before.mode, bytes: without(path, old, parts) },
    after: { mode: after.mode, bytes: without(path, then, parts) },
  };
  return { file, item, findings, kept: text === then ? [] : kept };
}

function refuse(path: string, parts: readonly KeptPart[], sentence: string): Outcome {
  const message = `${sentence.replace(/\.$/, '')}, so the kept part cannot be carried over.`;
  const hint = `Change it by hand, or take ${parts.map(({ by }) => by).join(', ')} out of \`keep\`.`;
  return { findings: [{ code: 'KEPT', severity: 'block', message, hint, path }] };
}
