/** What two plans of the same rollback have in common, and what not: by file and field, as they were shown. */
import type { GatedPlan } from '../contract.ts';

type Changes = Pick<GatedPlan, 'changes' | 'manifests'>;

/** What each file or field becomes, by its name. */
export function partsOf({ changes, manifests }: Changes): ReadonlyMap<string, string> {
  const files = [...changes.flatMap((change) => change.files), ...manifests];
  return new Map(
    files.flatMap(({ path, change, fields = [], diff = '' }): (readonly [string, string])[] =>
      fields.length === 0
        ? [[path, `${change} ${diff}`]]
        : fields.map(({ selector, op, before = '', after = '', diff: own = '' }) => [
            `${path}#${selector}`,
            [op, before, after, own].join('\n'),
          ]),
    ),
  );
}

/** Sentences; empty: they would change the same. `parts`: of the earlier one, or short digests of them. */
export function differencesOf(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const gone = [...before.keys()].filter((name) => !after.has(name));
  const other = [...after].flatMap(([name, text]) => {
    const earlier = before.get(name);
    if (earlier === undefined) return [`${name} is changed too.`];
    return earlier === text ? [] : [`${name} is changed in another way.`];
  });
  return [...other, ...gone.map((name) => `${name} is not changed any more.`)];
}
