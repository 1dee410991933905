/** What somebody does who may push whatever they like: writes one commit anew, all that comes after it on top, and moves the refs. */
import { execFile } from 'node:child_process';
import type { ProblemCode } from '../../../../engine/audit/problems.ts';
import type { Case, Honest } from './case.ts';
import { type Edits, FOLDER, type Objects } from './objects.ts';

export interface Tampered {
  readonly main: string;
  readonly ledger: string | null;
  /** The commit that an audit has to name: of the branch, or of the ledger. */
  readonly at: string;
}

/** What an audit has to say. */
export interface Expected {
  /**
   * `row`: at the commit that was tampered with; `gone`: at the commit that was there before, which only the ledger knows; `ledger`: among the
   * problems of the ledger; `outside`: among what only looks like a rollback; `hidden`: nothing, as nobody can see it.
   */
  readonly in: 'row' | 'gone' | 'ledger' | 'outside' | 'hidden';
  /** All of them. */
  readonly codes: readonly ProblemCode[];
}

export interface Kind {
  readonly name: string;
  readonly group: Group;
  readonly applies: (of: Case) => boolean;
  readonly expected: (of: Case) => Expected;
  /** Audited with its manifests rendered again. */
  readonly renders?: boolean;
  /** All of the branch is audited: the commit before it may be gone. */
  readonly isWhole?: boolean;
  /** By an auditor who has seen the ledger as it was. */
  readonly hasSeen?: boolean;
  readonly tamper: (given: Given) => Promise<Tampered>;
}

export const GROUPS = ['tree', 'message', 'commit', 'delivery', 'ledger'] as const;
export type Group = (typeof GROUPS)[number];

/** A commit to be written anew. */
export interface Change {
  readonly edits?: Edits;
  /** In place of its own tree; edits are made in it. */
  readonly tree?: string;
  /** The text of the commit object. */
  readonly text?: (text: string) => string;
}

export interface Given {
  readonly honest: Honest;
  readonly objects: Objects;
  /** The commit before it, its tree, and that of the rollback. */
  readonly base: string;
  readonly baseTree: string;
  readonly tree: string;
  /** Paths that the rollback changes, in order. */
  readonly changed: readonly string[];
  /** The file of the hold that it places, or that it lifts. */
  readonly hold: string;
  /** A file whose content it writes. */
  readonly restored: string;
  readonly blob: (content: string | Buffer) => Promise<string>;
  readonly content: (path: string, tree?: string) => string;
  /** A file with this content, in place of what is there: its mode stays. */
  readonly file: (
    path: string,
    content: string | ((text: string) => string),
    mode?: string,
  ) => Promise<Edits>;
  /** The rollback with something else in it, and all after it on top. */
  readonly rewrite: (change: Change) => Promise<Tampered>;
  /** The commit of its manifests. */
  readonly rewriteDelivery: (change: Change) => Promise<Tampered>;
  /** Another branch, with nothing else changed. */
  readonly branch: (main: string, at: string) => Tampered;
  /** The commits of the ledger, oldest first. */
  readonly events: () => readonly string[];
}

export const treeOf = (objects: Objects, commit: string): string =>
  /^tree ([0-9a-f]+)$/m.exec(objects.text(commit))?.[1] ?? '';
export const parentOf = (objects: Objects, commit: string): string =>
  /^parent ([0-9a-f]+)$/m.exec(objects.text(commit))?.[1] ?? '';

/** Commits of a first-parent line after one of them, oldest first. */
function after(objects: Objects, tip: string, commit: string): readonly string[] {
  const found: string[] = [];
  for (let id = tip; id !== commit; id = parentOf(objects, id)) {
    if (id === '') throw new Error(`${commit} is not on the line.`);
    found.unshift(id);
  }
  return found;
}

/** Commits on top of one that was written anew: with the new ids in their texts, and the same edits in their trees. */
export async function carry(
  objects: Objects,
  {
    commits,
    ids,
    edits = {},
  }: { readonly commits: readonly string[]; readonly ids: Map<string, string>; readonly edits?: Edits },
): Promise<string> {
  let last = [...ids.values()].at(-1) ?? '';
  for (const commit of commits) {
    let text = objects.text(commit);
    for (const [old, now] of ids) text = text.replaceAll(old, now);
    const before = treeOf(objects, commit);
    const tree = Object.keys(edits).length === 0 ? before : await objects.edit(before, edits);
    last = await objects.write('commit', text.replace(/^tree .*/, `tree ${tree}`));
    ids.set(commit, last);
  }
  return last;
}

export function given(honest: Honest): Given {
  const { objects } = honest.scene;
  const { of, commit, delivery, main, ledger } = honest;
  const base = parentOf(objects, commit);
  const [tree, baseTree] = [treeOf(objects, commit), treeOf(objects, base)];
  const changed = changedPaths(objects, baseTree, tree);
  const hold =
    changed.find(
      (path) =>
        path.startsWith('.backtrail/holds/') && (of.kind === 'resume' || path.includes(honest.requestId)),
    ) ?? '';
  const blob = (content: string | Buffer) => objects.write('blob', content);
  const content = (path: string, of = tree) => {
    const line = objects.find(of, path);
    if (line === null) throw new Error(`There is no ${path}.`);
    return objects.text(line.id);
  };
  const write = async (id: string, { edits = {}, tree: other, text = (same: string) => same }: Change) => {
    const start = other ?? treeOf(objects, id);
    const next = Object.keys(edits).length === 0 ? start : await objects.edit(start, edits);
    const written = text(objects.text(id).replace(/^tree .*/, `tree ${next}`));
    const now = await objects.write('commit', written);
    if (now === id) throw new Error('Nothing was changed.');
    return now;
  };
  const rewriteAt = async (id: string, change: Change): Promise<Tampered> => {
    const now = await write(id, change);
    const ids = new Map([[id, now]]);
    const tip = await carry(objects, { commits: after(objects, main, id), ids, edits: change.edits ?? {} });
    const told = of.how === 'push' ? ledger : await tellAgain(honest, ids);
    return { main: tip, ledger: told, at: now };
  };
  const restored = of.kind === 'resume' ? hold : of.restored;
  return {
    honest,
    objects,
    base,
    baseTree,
    tree,
    changed,
    hold,
    restored,
    blob,
    content,
    file: async (path, wanted, mode) => {
      const line = objects.find(tree, path);
      const text = typeof wanted === 'string' ? wanted : wanted(content(path));
      return { [path]: { mode: mode ?? line?.mode ?? '100644', id: await blob(text) } };
    },
    rewrite: (change) => rewriteAt(commit, change),
    rewriteDelivery: async (change) => ({ ...(await rewriteAt(delivery ?? '', change)), at: commit }),
    branch: (tip, at) => ({ main: tip, ledger, at }),
    events: () => eventsOf(objects, ledger),
  };
}

export function eventsOf(objects: Objects, ledger: string | null): readonly string[] {
  const found: string[] = [];
  for (let id = ledger ?? ''; id !== ''; id = parentOf(objects, id)) found.unshift(id);
  return found;
}

function changedPaths(objects: Objects, before: string, now: string, folder = ''): string[] {
  if (before === now) return [];
  const entries = (tree: string) =>
    new Map((tree === '' ? [] : objects.lines(tree)).map((line) => [line.name, line]));
  const [old, own] = [entries(before), entries(now)];
  return [...new Set([...old.keys(), ...own.keys()])].sort().flatMap((name) => {
    const [one, other] = [old.get(name), own.get(name)];
    if (one?.id === other?.id && one?.mode === other?.mode) return [];
    const path = `${folder}${Buffer.from(name, 'latin1').toString('utf8')}`;
    const treeIn = (line: typeof one) => (line?.mode === FOLDER ? line.id : '');
    if (treeIn(one) === '' && treeIn(other) === '') return [path];
    return changedPaths(objects, treeIn(one), treeIn(other), `${path}/`);
  });
}

/** A worker whose key is trusted says that what was tampered with is what a pull request brought: the ledger bears it out, the tree does not. */
async function tellAgain({ scene, ledger }: Honest, ids: ReadonlyMap<string, string>): Promise<string> {
  const { objects, repo, worker } = scene;
  const named = (text: string) =>
    [...ids].reduce((changed, [old, now]) => changed.replaceAll(old, now), text);
  const last = ledger ?? '';
  const [before, tree] = [treeOf(objects, parentOf(objects, last)), treeOf(objects, last)];
  const edits: Record<string, { mode: string; id: string }> = {};
  for (const path of changedPaths(objects, before, tree)) {
    const line = objects.find(tree, path);
    if (line !== null)
      edits[path] = { mode: line.mode, id: await objects.write('blob', named(objects.text(line.id))) };
  }
  const text = named(unsigned(objects.text(last))).replace(
    /^tree .*/,
    `tree ${await objects.edit(tree, edits)}`,
  );
  return objects.write('commit', await signed(text, worker?.keyFile ?? '', repo.env));
}

export const unsigned = (text: string) => text.replace(/\ngpgsig(?:-sha256)? [^\n]*(?:\n [^\n]*)*/, '');

export function signed(
  text: string,
  keyFile: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'ssh-keygen',
      ['-q', '-Y', 'sign', '-n', 'git', '-f', keyFile],
      { env },
      (error, stdout) => {
        if (error !== null) return reject(error);
        const lines = stdout.trimEnd().split('\n').join('\n ');
        resolve(text.replace('\n\n', `\ngpgsig ${lines}\n\n`));
      },
    );
    child.stdin?.end(text);
  });
}
