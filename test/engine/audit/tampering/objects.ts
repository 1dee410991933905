/** The objects of a repository in memory, and new ones written as files: a git for each of thousands would take most of the time. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';
import { treeEntries } from '../../../../engine/git/store/objects.ts';
import type { Repo } from '../../../helpers/repositories/repo.ts';

interface TreeLine {
  /** As it is written: `40000`, `100644`. */
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

interface FileLine {
  readonly mode: string;
  readonly id: string;
}

/** By path; null removes. */
export type Edits = Readonly<Record<string, FileLine | null>>;

export interface Objects {
  readonly bytes: (id: string) => Buffer;
  readonly text: (id: string) => string;
  readonly write: (type: 'blob' | 'tree' | 'commit', content: string | Buffer) => Promise<string>;
  readonly lines: (tree: string) => readonly TreeLine[];
  readonly writeTree: (lines: readonly TreeLine[]) => Promise<string>;
  /** A file or folder in a tree; null: it is not there. */
  readonly find: (tree: string, path: string) => TreeLine | null;
  readonly edit: (tree: string, edits: Edits) => Promise<string>;
  /** Points a ref at a commit; null removes it. */
  readonly point: (ref: string, id: string | null) => Promise<void>;
}

export async function readObjects(repo: Repo): Promise<Objects> {
  const { gitDir, env } = repo;
  const git = (...args: string[]) => repo.git(...args);
  const format = (await git('rev-parse', '--show-object-format')) === 'sha256' ? 'sha256' : 'sha1';
  const width = format === 'sha1' ? 20 : 32;
  const known = await everyObject(gitDir, env);
  const bytes = (id: string) => {
    const found = known.get(id);
    if (found === undefined) throw new Error(`There is no object ${id}.`);
    return found;
  };
  const write: Objects['write'] = async (type, content) => {
    const body = Buffer.from(content);
    const whole = Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]);
    const id = createHash(format).update(whole).digest('hex');
    if (known.has(id)) return id;
    known.set(id, body);
    const file = join(gitDir, 'objects', id.slice(0, 2), id.slice(2));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, deflateSync(whole, { level: 1 }));
    return id;
  };
  const lines = (tree: string): TreeLine[] =>
    [...treeEntries(bytes(tree), width)].map(({ mode, name, id }) => ({
      mode: mode.replace(/^0/, ''),
      name: name.toString('latin1'),
      id,
    }));
  const writeTree = (all: readonly TreeLine[]) =>
    write(
      'tree',
      Buffer.concat(
        all.flatMap(({ mode, name, id }) => [
          Buffer.from(`${mode} ${name}\0`, 'latin1'),
          Buffer.from(id, 'hex'),
        ]),
      ),
    );
  const find = (tree: string, path: string): TreeLine | null => {
    const [first = '', ...rest] = path.split('/');
    const name = Buffer.from(first).toString('latin1');
    const line = lines(tree).find((entry) => entry.name === name) ?? null;
    if (rest.length === 0 || line === null) return line;
    return line.mode === FOLDER ? find(line.id, rest.join('/')) : null;
  };
  const edit = async (tree: string | null, edits: Edits): Promise<string> => {
    const own = new Map((tree === null ? [] : lines(tree)).map((line) => [line.name, line]));
    const below = new Map<string, Record<string, FileLine | null>>();
    for (const [path, file] of Object.entries(edits)) {
      const [first = '', ...rest] = path.split('/');
      const name = Buffer.from(first).toString('latin1');
      if (rest.length > 0) below.set(name, { ...below.get(name), [rest.join('/')]: file });
      else if (file === null) own.delete(name);
      else own.set(name, { name, ...file });
    }
    for (const [name, files] of below) {
      const before = own.get(name);
      const id = await edit(before?.mode === FOLDER ? before.id : null, files);
      if (bytes(id).length === 0) own.delete(name);
      else own.set(name, { name, mode: FOLDER, id });
    }
    return writeTree([...own.values()].sort(byName));
  };
  return {
    bytes,
    text: (id) => bytes(id).toString('utf8'),
    write,
    lines,
    writeTree,
    find,
    edit,
    point: async (ref, id) => {
      const file = join(gitDir, ref);
      if (id === null) return void (await git('update-ref', '-d', ref));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `${id}\n`);
    },
  };
}

export const FOLDER = '40000';

/** As git sorts them: a folder as if its name ended with a slash. */
const byName = (one: TreeLine, other: TreeLine) => {
  const key = ({ name, mode }: TreeLine) => Buffer.from(mode === FOLDER ? `${name}/` : name, 'latin1');
  return Buffer.compare(key(one), key(other));
};

async function everyObject(cwd: string, env: Repo['env']): Promise<Map<string, Buffer>> {
  const args = ['cat-file', '--batch', '--batch-all-objects', '--unordered'];
  const { stdout } = await promisify(execFile)('git', args, {
    cwd,
    env,
    encoding: 'buffer',
    maxBuffer: 512 * 1024 * 1024,
  });
  const known = new Map<string, Buffer>();
  for (let at = 0; at < stdout.length; ) {
    const end = stdout.indexOf(10, at);
    const [id = '', , size = '0'] = stdout.toString('latin1', at, end).split(' ');
    const start = end + 1;
    known.set(id, stdout.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return known;
}
