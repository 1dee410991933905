/** The bare repository behind the host, by plumbing alone: nothing here runs a hook, and nothing needs a worktree. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { createRepo, type Files, type Repo } from '../../../repositories/repo.ts';

export interface Signature {
  readonly name: string;
  readonly email: string;
}

/** A commit as the host reads it: `author` with its date in git's own form, as the line of the commit has it. */
export interface HostCommit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature & { readonly date: string };
  readonly message: string;
}

export interface Written {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature & { readonly date?: string };
  readonly committer: Signature;
  readonly message: string;
  /** With the host's key. The signature itself is a picture of one: nobody here verifies it. */
  readonly isSigned?: boolean;
}

const SIGNATURE = [
  'gpgsig -----BEGIN PGP SIGNATURE-----',
  ' ',
  ' wsFcBAABCAAQBQJpAAAAAAkQtWlnaA==',
  ' -----END PGP SIGNATURE-----',
];
const RECORD = '%H%n%T%n%P%n%an%n%ae%n%ad%n%B';

const endedWithOne = z.object({ cause: z.object({ code: z.literal(1) }) });

export type Repository = Awaited<ReturnType<typeof openRepository>>;

export async function openRepository(folder: string) {
  const repo: Repo = await createRepo({ bare: true, folder });
  const git = (...args: string[]) => repo.git(...args);
  const ancestries = new Map<string, boolean>();
  const now = () => `${Math.floor(Date.now() / 1000)} +0000`;

  async function write(commit: Written): Promise<string> {
    const line = (who: Signature & { date?: string }) => `${who.name} <${who.email}> ${who.date ?? now()}`;
    const lines = [
      `tree ${commit.tree}`,
      ...commit.parents.map((parent) => `parent ${parent}`),
      `author ${line(commit.author)}`,
      `committer ${line(commit.committer)}`,
      ...(commit.isSigned ? SIGNATURE : []),
    ];
    const input = `${lines.join('\n')}\n\n${commit.message}`;
    return repo.gitWith({ input }, ['hash-object', '-t', 'commit', '-w', '--stdin']);
  }

  /** The tree that merging the two gives; null where they conflict. */
  const mergedTree = (ours: string, theirs: string) =>
    git('merge-tree', '--write-tree', '--no-messages', ours, theirs).then(
      (tree) => tree.split('\n')[0] ?? '',
      (error: unknown) => {
        // It ends with 1 and prints the tree with its conflicts; with more where it could not try.
        if (endedWithOne.safeParse(error).success) return null;
        throw error;
      },
    );

  const treeOf = (id: string) => git('rev-parse', '--verify', `${id}^{tree}`);

  return {
    env: repo.env,
    folder,
    write,
    mergedTree,
    treeOf,
    /** Branches by their short names, read without a process: every call looks. */
    async heads(): Promise<Map<string, string>> {
      const [packed, loose] = await Promise.all([packedHeads(folder), looseHeads(folder)]);
      return new Map([...packed, ...loose]);
    },
    /** Moves a branch that is still where it was; removes it where `next` is null. */
    async move(branch: string, next: string | null, expected: string): Promise<void> {
      const ref = `refs/heads/${branch}`;
      await (next === null ? git('update-ref', '-d', ref, expected) : git('update-ref', ref, next, expected));
    },
    mergeBase: (one: string, other: string) => git('merge-base', one, other),
    async holds(descendant: string, ancestor: string): Promise<boolean> {
      const pair = `${descendant} ${ancestor}`;
      const held =
        ancestries.get(pair) ??
        (await git('merge-base', '--is-ancestor', ancestor, descendant).then(
          () => true,
          () => false,
        ));
      ancestries.set(pair, held);
      return held;
    },
    /** What `head` has and `base` has not, oldest first, merges left out. */
    async commits(base: string, head: string): Promise<HostCommit[]> {
      const range = ['--reverse', '--topo-order', '--no-merges', `${base}..${head}`];
      const text = await git('log', '-z', '--date=raw', `--format=${RECORD}`, ...range);
      return text
        .split('\0')
        .filter((record) => record !== '')
        .map((record) => {
          const [id = '', tree = '', parents = '', name = '', email = '', date = '', ...rest] =
            record.split('\n');
          const message = rest.join('\n');
          return { id, tree, parents: parents.split(' '), author: { name, email, date }, message };
        });
    },
    /** The tree that a commit's change gives on another commit; null where it conflicts. */
    async pickedTree(commit: HostCommit, onto: string): Promise<string | null> {
      const [parent = ''] = commit.parents;
      if (parent === onto) return commit.tree;
      // Merging needs the parent as the base: a commit beside it stands for the one that it goes onto.
      const nobody = { name: 'x', email: 'x@invalid', date: '0 +0000' };
      const tree = await treeOf(onto);
      const beside = { tree, parents: [parent], author: nobody, committer: nobody, message: 'x' };
      return mergedTree(await write(beside), commit.id);
    },
    /** A person's commit on a branch. */
    async commitOn(
      branch: string,
      commit: { files: Files; message?: string; author?: Signature; date?: string },
    ): Promise<string> {
      const [id = ''] = await repo.replay([{ date: new Date().toISOString(), ...commit }], branch);
      return id;
    },
  };
}

async function packedHeads(folder: string): Promise<[string, string][]> {
  const text = await readFile(join(folder, 'packed-refs'), 'utf8').catch(() => '');
  return [...text.matchAll(/^([0-9a-f]{40,64}) refs\/heads\/(.+)$/gm)].map(([, id = '', name = '']) => [
    name,
    id,
  ]);
}

async function looseHeads(folder: string): Promise<[string, string][]> {
  const heads = join(folder, 'refs/heads');
  const entries = await readdir(heads, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'));
  const read = files.map(async (file): Promise<[string, string]> => {
    const path = join(file.parentPath, file.name);
    // Removed meanwhile: it is no branch any more.
    return [relative(heads, path), (await readFile(path, 'utf8').catch(() => '')).trim()];
  });
  return (await Promise.all(read)).filter(([, id]) => id !== '');
}
