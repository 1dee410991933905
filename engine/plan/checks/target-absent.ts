import { formatCoordinates, type Finding, type ObjectId, quotePath, shellWord } from '../../model/index.ts';
import { formatSelector } from '../../yaml/core/selector.ts';
import { type Content, keptIn, type SelectedPart } from '../../snapshot/content.ts';
import { discover } from '../../layout/discover.ts';
import { type Selection, serviceOfPath } from '../../layout/layout.ts';
import type { OtherParts } from '../other-parts.ts';
import type { CheckContext } from '../context.ts';
import { findMove, type Moved } from './moved.ts';

/** A rollback never deletes a scope, a service or a field silently: what the target lacks blocks, unless removal is allowed. */
export async function checkTargetAbsent(
  context: CheckContext,
  wholeFiles: readonly OtherParts[],
): Promise<Finding[]> {
  const own = await absentInScope(context);
  if (context.query.scope.mode === 'full') return own;
  const others = wholeFiles.flatMap(({ path, removed }) => removed.map((service) => ({ path, service })));
  const gone = await all(others, ({ path, service }) =>
    absent(context, `The part of service ${service} in ${quotePath(path)}`, {
      files: NONE,
      parts: new Map(),
    }),
  );
  return [...own, ...gone];
}

async function absentInScope(context: CheckContext): Promise<Finding[]> {
  const { query, input, base, target } = context;
  const name = formatCoordinates(query.scope);
  if (query.scope.mode === 'field') {
    const missing = [...base.parts].filter(([key]) => !target.parts.has(key));
    return all(missing, ([key, part]) =>
      absent(context, nameOf(part), { files: NONE, parts: new Map([[key, part]]) }),
    );
  }
  if (!(await isThere(context, target))) return [await absent(context, name, base)];
  if (query.scope.mode !== 'full') return vanished(context);
  const then = new Set(await servicesOf(context, target, input.target.commit));
  const now = await servicesOf(context, base, query.snapshot.base);
  const gone = now.filter((service) => !then.has(service));
  return all(gone, (service) =>
    absent(context, `Service ${service} of ${name}`, ownedBy(context, base, service)),
  );
}

const NONE: Content['files'] = new Map();

async function all<Item>(items: readonly Item[], make: (item: Item) => Promise<Finding>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const item of items) findings.push(await make(item));
  return findings;
}

/** What one pattern of a service selects now and selected nothing of then: the release of a chart, say, while its values stay. */
async function vanished(context: CheckContext): Promise<Finding[]> {
  const { query, base, target } = context;
  const gone = query.selections
    .map((selection) => ({ now: selectedIn(selection, base), before: selectedIn(selection, target) }))
    .filter(({ now, before }) => countOf(now) > 0 && countOf(before) === 0);
  return all(gone, ({ now }) => absent(context, firstOf(now), now));
}

function selectedIn({ paths, selector }: Selection, { files, parts }: Content): Owned {
  const isSelected = (path: string) => paths.match(path) !== null;
  return {
    files: selector === null ? new Map([...files].filter(([path]) => isSelected(path))) : NONE,
    parts: selector === null ? new Map() : new Map([...parts].filter(([, { path }]) => isSelected(path))),
  };
}

const firstOf = ({ files, parts }: Owned) =>
  [...[...files.keys()].map((path) => quotePath(path)), ...[...parts.values()].map(nameOf)][0] ?? '';
const nameOf = ({ path, selector }: SelectedPart) => `${quotePath(path)}#${formatSelector(selector)}`;
const countOf = ({ files, parts }: Owned) => files.size + parts.size;

/** `content`: what of it stands at the base. */
async function absent(context: CheckContext, what: string, content: Owned): Promise<Finding> {
  const { input } = context;
  const target = short(input.target.commit);
  const moved = await findMove(context, content);
  const from = moved === null ? '' : `; it stood at ${moved.from} then`;
  const sentence = `${what} did not exist at ${target}${from}`;
  if (input.allowRemoval)
    return { code: 'REMOVAL_ALLOWED', severity: 'warn', message: `${sentence} and is removed.` };
  const hint =
    moved &&
    `Commit ${short(moved.commit)} moved it here: choose a revision since then. ${oldContent(target, moved)}`;
  return {
    code: 'TARGET_ABSENT',
    severity: 'block',
    message: `${sentence}.`,
    ...(hint !== null && { hint }),
  };
}

/** A name that a line of text cannot hold cannot be pasted either: then there is no command. */
function oldContent(target: string, { path }: Moved): string {
  const removes = '--allow-removal removes it.';
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(path)) return removes;
  return `\`git show ${shellWord(`${target}:${path}`)}\` prints what it was; ${removes}`;
}

const short = (id: string) => id.slice(0, 7);

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
