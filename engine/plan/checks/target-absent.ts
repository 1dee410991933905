import { formatCoordinates, type Finding, type ObjectId } from '../../model/index.ts';
import { discover } from '../discover.ts';
import type { CheckContext } from '../plan.ts';

/** A rollback never deletes a scope, a service or a field silently: what the target lacks blocks, unless removal is allowed. */
export async function checkTargetAbsent(context: CheckContext): Promise<Finding[]> {
  const { query, input, base, target } = context;
  const name = formatCoordinates(query.scope);
  const empty = target.files.size === 0 && target.parts.size === 0;
  if (query.scope.mode === 'field') {
    const missing = [...base.parts.keys()].filter((key) => !target.parts.has(key));
    return missing.map((field) =>
      finding(context, `${field} did not exist at ${short(input.target.commit)}`),
    );
  }
  if (empty) {
    const moved = await renamedFrom(context);
    const from = moved === null ? '' : `; it stood at ${moved} then`;
    return [finding(context, `${name} did not exist at ${short(input.target.commit)}${from}`)];
  }
  if (query.scope.mode !== 'full') return [];
  const then = await servicesOf(context, input.target.commit);
  const gone = [...(await servicesOf(context, query.snapshot.base))]
    .filter((service) => !then.has(service))
    .sort();
  return gone.map((service) =>
    finding(context, `Service ${service} of ${name} did not exist at ${short(input.target.commit)}`),
  );
}

function finding({ input }: CheckContext, sentence: string): Finding {
  return input.allowRemoval
    ? { code: 'REMOVAL_ALLOWED', severity: 'warn', message: `${sentence} and is removed.` }
    : { code: 'TARGET_ABSENT', severity: 'block', message: `${sentence}.` };
}

const short = (id: string) => id.slice(0, 7);

/** The old path of one of the scope's files, where Git detects a rename between target and base. */
async function renamedFrom({ query, input, base }: CheckContext): Promise<string | null> {
  const paths = [...base.files.keys(), ...base.shared.keys()];
  if (paths.length === 0) return null;
  const renames = await query.snapshot.history.renames(input.target.commit, query.snapshot.base);
  for (const path of paths) {
    const old = renames.get(path);
    if (old !== undefined) return old;
  }
  return null;
}

async function servicesOf({ query }: CheckContext, commit: ObjectId): Promise<Set<string>> {
  const { tenant, environment } = query.scope;
  const within = { ...(tenant !== undefined && { tenant }), environment };
  const found = await discover(await query.snapshot.view(commit), query.snapshot.layout, within);
  return new Set(found.flatMap(({ service }) => service ?? []));
}
