/** The same repository twice, a server and two people at each: what is done through a face in one is done through the core API in the other. */
import type { Engine } from '../../../engine/internal.ts';
import { engineOf } from '../repositories/engine.ts';
import { copyRepo, type Repo } from '../repositories/repo.ts';
import { type Api, type ApiOptions, startApi } from './api.ts';

export interface Side {
  readonly repo: Repo;
  readonly engine: Engine;
  readonly jane: Api;
  readonly bob: Api;
}

const BOB = { name: 'Bob', email: 'bob@example.com' };

async function sideOf(repo: Repo, settings: ApiOptions['settings'] = {}): Promise<Side> {
  const engine = await engineOf(repo, { lives: 'file' });
  const jane = await startApi(engine, { lives: 'file', settings });
  const bob = await startApi(engine, { lives: 'file', person: BOB, settings });
  return { repo, engine, jane, bob };
}

export async function twoSides(repo: Repo): Promise<readonly [Side, Side]> {
  return [await sideOf(repo), await sideOf(await copyRepo(repo))];
}

/** All that was written since a commit: messages, files and ledger, without what differs each time (ids, times, commits that were made since). */
export async function writtenSince({ repo }: Side, base: string): Promise<string> {
  const git: Repo['git'] = (...args) => repo.git(...args);
  const known = new Set((await git('rev-list', base)).split('\n'));
  const same = (text: string) =>
    text
      .replace(/\b(rbk|evt|dep|bgs)-[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1-ID')
      .replace(/\b\d{4}-\d\d\/\w\w\//g, '')
      .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/\b[0-9a-f]{40}\b/g, (id) => (known.has(id) ? id : 'COMMIT'))
      .replace(/\b[0-9a-f]{7}\b/g, (id) => ([...known].some((each) => each.startsWith(id)) ? id : 'SHORT'));
  const parts = [await git('log', '--format=%an <%ae>%n%B', `${base}..main`)];
  for (const ref of ['refs/heads/main', 'refs/backtrail/ledger', 'refs/backtrail/deployments']) {
    if ((await git('for-each-ref', ref)) === '') continue;
    if (ref !== 'refs/heads/main') parts.push(await git('log', '--format=%an <%ae>%n%B', ref));
    const names =
      ref === 'refs/heads/main' ? ['diff', '--name-only', base] : ['ls-tree', '-r', '--name-only'];
    parts.push(...(await filesOf(repo, ref, await git(...names, ref))).map(same).toSorted());
  }
  return same(parts.join('\n'));
}

async function filesOf(repo: Repo, ref: string, names: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const name of names.split('\n')) texts.push(`${name}\n${await repo.git('show', `${ref}:${name}`)}`);
  return texts;
}
