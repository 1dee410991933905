/** Restores whole paths: the target's entry replaces the base's, or the path is removed. Kept parts stay as in the base, byte for byte. */
import { type Entry, type FileChange, type Finding, type KeptPath, quotePath } from '../model/index.ts';
import { restoreField } from '../yaml/edit/edit.ts';
import { formatSelector } from '../yaml/core/selector.ts';
import { type ScopeContent, keptIn, type ScopeQuery, withoutParts } from '../snapshot/scope-content.ts';
import type { DigestItem, DigestSide } from './digest.ts';
import type { KeptPart } from '../layout/keep.ts';
import type { Restored } from './check-context.ts';
import { keptOutcome } from './restore-parts.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

interface FileOutcome {
  readonly file?: FileChange;
  readonly item?: DigestItem;
  readonly kept?: readonly KeptPath[];
  readonly findings?: readonly Finding[];
}

export async function restoreFiles(
  query: ScopeQuery,
  base: ScopeContent,
  target: ScopeContent,
): Promise<Restored> {
  const outcomes: FileOutcome[] = [];
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

interface EntryChange {
  readonly path: string;
  readonly before: Entry | null;
  readonly after: Entry | null;
}

async function restoreFile({ snapshot, scope }: ScopeQuery, change: EntryChange): Promise<FileOutcome> {
  const { path, before, after } = change;
  const kept = await keptIn(snapshot, path, [before, after]);
  if (kept.whole !== null && scope.mode === 'field') return keptOutcome({ path, by: kept.whole }, true);
  if (kept.whole !== null)
    return before ? { kept: [{ path, by: kept.whole }] } : missingOutcome(path, kept.whole);
  if (kept.parts.length > 0) return restoreWithKeptParts(snapshot, change, kept.parts);
  return { file: change, item: { path, selector: '', before: digestSide(before), after: digestSide(after) } };
}

/** KEPT_PATH: a kept path that does not exist now is not restored, although something may refer to it. */
function missingOutcome(path: string, by: string): FileOutcome {
  const message = `${quotePath(path)} is excluded from rollbacks (keep: ${by}) and does not exist now, so it stays missing.`;
  return { findings: [{ code: 'KEPT_PATH', severity: 'warn', message, path }] };
}

const digestSide = (entry: Entry | null): DigestSide | null => entry && { mode: entry.mode, bytes: entry.id };

/** The target's file with the base's kept parts. */
async function restoreWithKeptParts(
  snapshot: Snapshot,
  { path, before, after }: EntryChange,
  parts: readonly KeptPart[],
): Promise<FileOutcome> {
  // A file that does not exist now has no kept parts: it is restored without them.
  const old = before === null ? '' : await snapshot.text(before);
  const then = await snapshot.text(after);
  if (old === null || then === null || after === null) {
    return refuse(path, parts, `${quotePath(path)} has a kept part and is not a text file on both sides`);
  }
  let text = then;
  const gone: FileOutcome[] = [];
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
        `${quotePath(path)}#${formatSelector(selector)} is kept and exists on one side only`,
      );
    if (own?.op === 'remove') gone.push(missingOutcome(`${path}#${formatSelector(selector)}`, by));
    text = result.text;
  }
  const content = new TextEncoder().encode(text);
  const id = snapshot.hasher.blobId(content);
  const findings = gone.flatMap((outcome) => outcome.findings ?? []);
  const missed = new Set(findings.map(({ path: missingPath }) => missingPath));
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
    before: before && { mode: before.mode, bytes: withoutParts(path, old, parts) },
    after: { mode: after.mode, bytes: withoutParts(path, then, parts) },
  };
  return { file, item, findings, kept: text === then ? [] : kept };
}

function refuse(path: string, parts: readonly KeptPart[], sentence: string): FileOutcome {
  const message = `${sentence.replace(/\.$/, '')}, so the kept part cannot be carried over.`;
  const hint = `Change it by hand, or remove ${parts.map(({ by }) => by).join(', ')} from \`keep\`.`;
  return { findings: [{ code: 'KEPT', severity: 'block', message, hint, path }] };
}
