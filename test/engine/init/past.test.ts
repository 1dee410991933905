import { describe, expect, it } from 'vitest';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo, type Files, type Repo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

/** Two words that no rule knows, above two others: either may be the environments. */
const OUTER = ['alpha', 'beta', 'gamma'];
const INNER = ['mercury', 'venus', 'earth'];
const path = (outer: string, inner: string) => `${outer}/${inner}/deployment.yaml`;
const deployment = (tag: number) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: app }\nspec:\n  template:\n    spec:\n      containers:\n        - name: app\n          image: registry.example.com/app:v${tag}\n`;

async function treeOf(commits: readonly Files[]): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  const all = OUTER.flatMap((outer) => INNER.map((inner) => [path(outer, inner), deployment(0)]));
  await repo.replay([{ files: Object.fromEntries(all) }, ...commits.map((files) => ({ files }))]);
  return repo;
}

async function environmentsOf(repo: Repo): Promise<readonly string[] | null> {
  const { chosen } = await (await engineOf(repo)).propose();
  return chosen && chosen.environments.map(({ environment }) => environment);
}

/** A version comes to one after the other, each time in a commit of its own. */
const promoted = (names: readonly string[], at: (name: string) => string): Files[] =>
  [1, 2, 3].flatMap((tag) => names.map((name) => ({ [at(name)]: deployment(tag) })));

describe('where a tree alone leaves open what its environments are, its history', () => {
  it('says that they are what versions are promoted through: the outer folders, or the inner ones', async () => {
    const outer = await treeOf(promoted(OUTER, (name) => path(name, 'venus')));
    expect(await environmentsOf(outer)).toEqual(OUTER);
    const inner = await treeOf(promoted(INNER, (name) => path('beta', name)));
    expect(await environmentsOf(inner)).toEqual([...INNER].sort());
  });

  it('says that they are what commits of several files change one of', async () => {
    const commits = Array.from({ length: 9 }, (_, at) => {
      const outer = OUTER[at % 3] ?? '';
      return {
        [path(outer, 'venus')]: deployment(2 * at + 1),
        [path(outer, 'earth')]: deployment(2 * at + 2),
      };
    });
    expect(await environmentsOf(await treeOf(commits))).toEqual(OUTER);
  });

  it.each(
    someOf<[string, readonly Files[]]>(
      [
        ['says nothing where it has but one commit', []],
        [
          'says nothing where versions come everywhere at once',
          [1, 2, 3, 4].map((tag) =>
            Object.fromEntries(
              OUTER.flatMap((outer) => INNER.map((inner) => [path(outer, inner), deployment(tag)])),
            ),
          ),
        ],
        [
          'says nothing where a text comes to one after the other',
          [1, 2, 3].flatMap((at) =>
            OUTER.map((outer) => ({
              [`${outer}/mercury/deployment.yaml`]: `${deployment(0)}# note ${at}\n`,
            })),
          ),
        ],
        [
          'says nothing where versions walk both ways',
          [
            ...promoted(OUTER, (name) => path(name, 'venus')),
            ...promoted(INNER, (name) => path('beta', name)).map((files) =>
              Object.fromEntries(
                Object.entries(files).map(([at, text]) => [
                  at,
                  typeof text === 'string' ? text.replace(':v', ':w') : text,
                ]),
              ),
            ),
          ],
        ],
      ],
      2,
    ),
  )('%s', async (_, commits) => {
    expect(await environmentsOf(await treeOf(commits))).toBeNull();
  });
});
