import { formatCoordinates, type Finding, type ObjectId } from '../../model/index.ts';
import { type Content, keptIn } from '../content.ts';
import { discover } from '../discover.ts';
import { type Selection, serviceOfPath } from '../layout.ts';
import type { CheckContext } from '../plan.ts';

/** A rollback never deletes a scope, a service or a field silently: what the target lacks blocks, unless removal is allowed. */
export async function checkTargetAbsent(context: CheckContext): Promise<Finding[]> {
  const { query, input, base, target } = context;
  const name = formatCoordinates(query.scope);
  if (query.scope.mode === 'field') {
    const missing = [...base.parts.keys()].filter((key) => !target.parts.has(key));
    return missing.map((field) =>
      finding(context, `${field} did not exist at ${short(input.target.commit)}`),
    );
  }
  if (!(await isThere(context, target))) {
    const moved = await renamedFrom(context);
    const from = moved === null ? '' : `; it stood at ${moved} then`;
    return [finding(context, `${name} did not exist at ${short(input.target.commit)}${from}`)];
  }
  if (query.scope.mode !== 'full')
    return (await vanished(context)).map((sentence) => finding(context, sentence));
  const then = new Set(await servicesOf(context, target, input.target.commit));
  const now = await servicesOf(context, base, query.snapshot.base);
  const gone = now.filter((service) => !then.has(service));
  return gone.map((service) =>
    finding(context, `Service ${service} of ${name} did not exist at ${short(input.target.commit)}`),
  );
}

/** What one pattern of a service selects now and selected nothing of then: the release of a chart, say, while its values stay. */
async function vanished(context: CheckContext): Promise<string[]> {
  const { query, input, base, target } = context;
  const sentences: string[] = [];
  for (const selection of query.selections) {
    const [now, then] = [selectedIn(selection, base), selectedIn(selection, target)];
    if (now.length === 0 || then.length > 0) continue;
    const moved = await renamedFrom(context, now);
    const from = moved === null ? '' : `; it stood at ${moved} then`;
    sentences.push(`${now[0] ?? ''} did not exist at ${short(input.target.commit)}${from}`);
  }
  return sentences;
}

function selectedIn({ paths, selector }: Selection, { files, parts }: Content): string[] {
  const found = selector === null ? [...files.entries()] : [...parts.entries()];
  return found.filter(([, { path }]) => paths.match(path) !== null).map(([key]) => key);
}

function finding({ input }: CheckContext, sentence: string): Finding {
  return input.allowRemoval
    ? { code: 'REMOVAL_ALLOWED', severity: 'warn', message: `${sentence} and is removed.` }
    : { code: 'TARGET_ABSENT', severity: 'block', message: `${sentence}.` };
}

const short = (id: string) => id.slice(0, 7);

/** The old path of one of the scope's files, where Git detects a rename between target and base. */
async function renamedFrom(
  { query, input, base }: CheckContext,
  paths: readonly string[] = [...base.files.keys(), ...base.shared.keys()],
): Promise<string | null> {
  if (paths.length === 0) return null;
  const renames = await query.snapshot.history.renames(input.target.commit, query.snapshot.base);
  for (const path of paths) {
    const old = renames.get(path);
    if (old !== undefined) return old;
  }
  return null;
}

/** Services of which something stands there that is not kept: what is kept stays, and makes no service. */
async function servicesOf(context: CheckContext, content: Content, commit: ObjectId): Promise<string[]> {
  const { snapshot, scope } = context.query;
  const { tenant, environment } = scope;
  const within = { ...(tenant !== undefined && { tenant }), environment };
  const found = await discover(await snapshot.view(commit), snapshot.layout, within);
  const services: string[] = [];
  for (const service of found.flatMap((coordinates) => coordinates.service ?? [])) {
    const owned = ownedBy(context, content, service);
    // A key of a file that belongs to the environment as a whole is no content of its own.
    const isShared = owned.files.size === 0 && owned.parts.size === 0;
    if (isShared || (await isThere(context, owned))) services.push(service);
  }
  return services;
}

type Owned = Pick<Content, 'files' | 'parts'>;

function ownedBy({ query }: CheckContext, { files, parts }: Content, service: string): Owned {
  const owns = (path: string) => serviceOfPath(query.snapshot.layout, query.scope, path) === service;
  return {
    files: new Map([...files].filter(([path]) => owns(path))),
    parts: new Map([...parts].filter(([, part]) => part.service === service)),
  };
}

async function isThere({ query }: CheckContext, { files, parts }: Owned): Promise<boolean> {
  if ([...parts.values()].some(({ restorable }) => restorable !== null)) return true;
  for (const [path, file] of files)
    if ((await keptIn(query.snapshot, path, [file])).whole === null) return true;
  return false;
}
