import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Engine, isFailure } from '../../engine/internal.ts';
import { engineOf, rollBack } from '../helpers/repositories/engine.ts';
import { createRepo, type Files, type Repo } from '../helpers/repositories/repo.ts';

/**
 * Each folder here is one behaviour: `target/` is the earlier state, `before/` the state that is rolled back, `request.yaml` the wish,
 * `after/` what must stand in Git then, to the byte. Instead of `after/`, `request.yaml` may name the code of the refusal.
 */
interface Case {
  readonly scope: string;
  readonly fields?: string[];
  readonly allowRemoval?: boolean;
  readonly wholeFile?: boolean;
  readonly refused?: string;
  readonly message?: string;
  readonly status?: string;
}

const ROOT = import.meta.dirname;
const names = readdirSync(ROOT).filter((name) => statSync(join(ROOT, name)).isDirectory());

function readTree(folder: string): Record<string, Uint8Array> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [relative(folder, path), readFileSync(path)];
    }),
  );
}

function difference(from: Files, to: Files): Files {
  const removed = Object.keys(from).filter((path) => !(path in to));
  return { ...Object.fromEntries(removed.map((path) => [path, null])), ...to };
}

async function stored(repo: Repo): Promise<Record<string, string>> {
  const listed = (await repo.git('ls-tree', '-r', '-z', '--format=%(path)%x00%(objectname)', 'main')).split('\0');
  return Object.fromEntries(listed.flatMap((path, index) => (index % 2 === 0 && path !== '' ? [[path, listed[index + 1] ?? '']] : [])));
}

/** The ids that git gives to these bytes. */
function hashed(files: Record<string, Uint8Array>): Record<string, string> {
  const id = (bytes: Uint8Array) => createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
  return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, id(bytes)]));
}

describe('cases', () => {
  let repo: Repo;
  let engine: Engine;
  let commits: string[][];
  /** All in one repository; they share no commit. */
  beforeAll(async () => {
    repo = await createRepo({ bare: true });
    commits = await repo.replayEach(names, (name) => {
      const [target = {}, before = {}] = ['target', 'before'].map((state) => readTree(join(ROOT, name, state)));
      return [{ files: target }, { files: difference(target, before) }];
    });
    engine = await engineOf(repo, { lives: 'file' });
  });

  it('has the cases of the demonstration among them', () => {
    expect(names).toEqual(expect.arrayContaining(['demo-service', 'demo-field', 'demo-full']));
  });

  it.each(names)('%s', async (name) => {
    const folder = join(ROOT, name);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test file of ours
    const request = parse(readFileSync(join(folder, 'request.yaml'), 'utf8')) as Case;
    const [first = '', tip = ''] = commits[names.indexOf(name)] ?? [];
    await writeFile(join(repo.gitDir, 'refs/heads/main'), `${tip}\n`);
    const before = readTree(join(folder, 'before'));
    const { scope, fields = [], allowRemoval = false, wholeFile = false } = request;
    const run = rollBack(engine, { scope, fields, allowRemoval, wholeFile, to: first });
    if (request.refused !== undefined) {
      const error: unknown = await run.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(isFailure(error) ? error.code : error).toBe(request.refused);
      if (request.message !== undefined) expect(String(error)).toContain(request.message);
      expect(await stored(repo)).toEqual(hashed(before));
      return;
    }
    expect((await run).status).toBe(request.status ?? 'completed');
    const expected = readTree(join(folder, 'after'));
    const [found, wanted] = [await stored(repo), hashed(expected)];
    for (const [path, bytes] of Object.entries(expected)) {
      if (found[path] === wanted[path]) continue;
      const text = await repo.git('cat-file', 'blob', `main:${path}`);
      expect(`${path}\n${text}`).toBe(`${path}\n${new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/\n$/, '')}`);
    }
    expect(found).toEqual(wanted);
  });
});
