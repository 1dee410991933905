import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createRunner } from '../../../../engine/git/process/runner.ts';
import type { Child } from '../../../../engine/git/process/spawn.ts';
import { beginChain } from '../../../../engine/git/store/import-chain.ts';
import { MODE } from '../../../../engine/model/index.ts';
import { createRepo } from '../../../helpers/repositories/repo.ts';
import { PERSON, REQUEST, SERVICE } from '../open.ts';

async function stage() {
  const repo = await createRepo({ bare: true });
  const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
  const stop = new AbortController();
  const real = createRunner({
    directory: repo.gitDir,
    env: repo.env,
    timeoutMs: 60_000,
    signal: stop.signal,
  });
  const children: Child[] = [];
  const runner = {
    ...real,
    start(args: readonly string[]) {
      const child = real.start(args);
      children.push(child);
      return child;
    },
  };
  const chain = beginChain(runner, { parent, requestId: REQUEST });
  const [child] = children;
  if (child === undefined) throw new Error('no process was started');
  return { repo, parent, chain, child };
}

const commit = (text: string) => ({
  author: PERSON,
  committer: SERVICE,
  time: '2026-03-04T05:06:07Z',
  message: `${text}\n`,
  writes: [{ path: text, after: { mode: MODE.file, id: '', content: Buffer.from(text) } }],
});

describe('a chain of commits', () => {
  it('gives the id of each before the next is written, and leaves nothing behind', async () => {
    const { repo, parent, chain } = await stage();
    const first = await chain.add(commit('one'));
    const second = await chain.add(commit(`after ${first.slice(0, 7)}`));
    await chain.end();
    expect(await repo.git('rev-list', '--parents', '-1', second)).toBe(`${second} ${first}`);
    expect(await repo.git('rev-parse', `${first}^`)).toBe(parent);
    await chain.drop();
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });

  it('fails, and does not wait, where its git was killed in between', async () => {
    const { chain, child } = await stage();
    await chain.add(commit('one'));
    child.kill('SIGKILL');
    await once(child, 'close');
    await expect(chain.add(commit('two'))).rejects.toMatchObject({ code: 'GIT_FAILED' });
    await expect(chain.end()).rejects.toMatchObject({ code: 'GIT_FAILED' });
    await chain.drop();
  });

  it('fails where git refuses a path', async () => {
    const { chain } = await stage();
    const bad = { ...commit('one'), writes: [{ path: '.git/config', after: null }] };
    await expect(chain.add(bad)).rejects.toMatchObject({ code: 'PATH_UNSAFE' });
    await chain.drop();
  });
});
