import { type LogCommit, type ObjectId, quotePath } from '../../model/index.ts';
import { bindPath, compilePattern, toBindings } from '../../layout/pattern.ts';
import type { CheckInput, RawFinding } from '../check-input.ts';

/** How many paths and commits are named. */
const MOST = 5;

interface Crossed {
  /** What is named of it. */
  readonly what: string;
  readonly commit: ObjectId;
  readonly path?: string;
}

/** MIGRATION_CROSSED: what was migrated between the target and now stays migrated. Fences block. */
export async function checkMigrations(input: CheckInput): Promise<RawFinding[]> {
  const said = (input.since ?? []).flatMap(({ id, trailers }) =>
    trailers.flatMap((line) => {
      const text = /^migration[ \t]*:(.*)$/isu.exec(line)?.[1]?.trim().slice(0, 200) ?? '';
      return text === '' ? [] : [{ what: quotePath(text), commit: id, fence: /\(fence\)$/i.test(text) }];
    }),
  );
  const changed = await changedPaths(input);
  return [true, false].flatMap((fence) =>
    findingOf(
      [...said, ...changed].filter((each) => each.fence === fence),
      fence,
    ),
  );
}

function findingOf(crossed: readonly Crossed[], fence: boolean): RawFinding[] {
  const [first] = crossed;
  if (first === undefined) return [];
  const named = [...new Set(crossed.map(({ what }) => what))];
  const more = named.length > MOST ? ` and ${named.length - MOST} more` : '';
  const commits = [...new Set(crossed.map(({ commit }) => commit.slice(0, 12)))];
  const last = commits.length > MOST ? ', …' : '';
  const message = `${fence ? 'A fence is crossed: ' : ''}${named.slice(0, MOST).join(', ')}${more} came since the target (${commits.slice(0, MOST).join(', ')}${last}), and a rollback does not undo it.`;
  return [
    {
      code: 'MIGRATION_CROSSED',
      message,
      ...(fence && { atLeast: 'block' }),
      ...(first.path !== undefined && { path: first.path }),
    },
  ];
}

async function changedPaths({
  snapshot,
  plan,
}: CheckInput): Promise<(Crossed & { readonly fence: boolean })[]> {
  const { layout, history, base } = snapshot;
  const { migrations } = layout.config.checks;
  const target = plan.target.commit;
  if (migrations.length === 0 || target === base) return [];
  const logs = new Map<string, Promise<readonly LogCommit[]>>();
  const found: (Crossed & { readonly fence: boolean })[] = [];
  for (const { path: pattern, fence } of migrations) {
    const paths = bindPath(compilePattern(pattern), toBindings(plan.scope));
    const log = logs.get(paths.prefix) ?? history.log({ tip: base, path: paths.prefix, after: target });
    logs.set(paths.prefix, log);
    for (const { id, changes } of await log)
      for (const { path } of changes)
        if (paths.match(path) !== null) found.push({ what: quotePath(path), commit: id, path, fence });
  }
  return found;
}
