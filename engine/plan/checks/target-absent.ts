import { formatCoordinates, type Finding, type ObjectId, quotePath, shellWord } from '../../model/index.ts';
import { formatSelector } from '../../yaml/core/selector.ts';
import { type ScopeContent, keptIn, type SelectedPart } from '../../snapshot/scope-content.ts';
import { discover } from '../../layout/discover.ts';
import { type Selection, serviceOfPath } from '../../layout/layout.ts';
import type { FileEntry } from '../../snapshot/view.ts';
import type { OtherParts } from '../other-parts.ts';
import type { CheckContext } from '../check-context.ts';
import { findMove, type Move } from './find-move.ts';

/** TARGET_ABSENT: a rollback never silently deletes a scope, service or field that the target lacks; REMOVAL_ALLOWED with --allow-removal. */
export async function checkTargetAbsent(
  context: CheckContext,
  wholeFiles: readonly OtherParts[],
): Promise<Finding[]> {
  const own = await absentInScope(context);
  if (context.query.scope.mode === 'full') return own;
  const others = wholeFiles.flatMap(({ path, removed }) => removed.map((service) => ({ path, service })));
  const gone = await collectFindings(others, ({ path, service }) =>
    absentFinding(context, `The part of service ${service} in ${quotePath(path)}`, {
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
    return collectFindings(missing, ([key, part]) =>
      absentFinding(context, nameOf(part), { files: NONE, parts: new Map([[key, part]]) }),
    );
  }
  if (!(await hasContent(context, target))) return [await absentFinding(context, name, base)];
  if (query.scope.mode !== 'full') return vanishedPatterns(context);
  const then = new Set(await servicesOf(context, target, input.target.commit));
  const now = await servicesOf(context, base, query.snapshot.base);
  const gone = now.filter((service) => !then.has(service));
  return collectFindings(gone, (service) =>
    absentFinding(context, `Service ${service} of ${name}`, ownedIn(context, base)(service)),
  );
}

const NONE: ScopeContent['files'] = new Map();

async function collectFindings<Item>(
  items: readonly Item[],
  make: (item: Item) => Promise<Finding>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const item of items) findings.push(await make(item));
  return findings;
}

/** Patterns of a service that select something now and nothing at the target: for example the release of a chart whose values stay. */
async function vanishedPatterns(context: CheckContext): Promise<Finding[]> {
  const { query, base, target } = context;
  const gone = query.selections
    .map((selection) => ({ now: selectedIn(selection, base), before: selectedIn(selection, target) }))
    .filter(({ now, before }) => countOf(now) > 0 && countOf(before) === 0);
  return collectFindings(gone, ({ now }) => absentFinding(context, firstOf(now), now));
}

function selectedIn({ paths, selector }: Selection, { files, parts }: ScopeContent): OwnedContent {
  const isSelected = (path: string) => paths.match(path) !== null;
  return {
    files: selector === null ? new Map([...files].filter(([path]) => isSelected(path))) : NONE,
    parts: selector === null ? new Map() : new Map([...parts].filter(([, { path }]) => isSelected(path))),
  };
}

const firstOf = ({ files, parts }: OwnedContent) =>
  [...[...files.keys()].map((path) => quotePath(path)), ...[...parts.values()].map(nameOf)][0] ?? '';
const nameOf = ({ path, selector }: SelectedPart) => `${quotePath(path)}#${formatSelector(selector)}`;
const countOf = ({ files, parts }: OwnedContent) => files.size + parts.size;

/** `content`: the absent content, as at the base. */
async function absentFinding(context: CheckContext, what: string, content: OwnedContent): Promise<Finding> {
  const { input } = context;
  const target = short(input.target.commit);
  const moved = await findMove(context, content);
  const from = moved === null ? '' : `; it was at ${moved.from} then`;
  const sentence = `${what} did not exist at ${target}${from}`;
  if (input.allowRemoval)
    return { code: 'REMOVAL_ALLOWED', severity: 'warn', message: `${sentence} and is removed.` };
  const hint =
    moved &&
    `Commit ${short(moved.commit)} moved it here: choose a revision since that commit. ${oldContent(target, moved)}`;
  return {
    code: 'TARGET_ABSENT',
    severity: 'block',
    message: `${sentence}.`,
    remedy: 'allow-removal',
    ...(hint !== null && { hint }),
  };
}

/** Command to print the old content; omitted for a path that cannot be pasted. */
function oldContent(target: string, { path }: Move): string {
  const removes = '--allow-removal removes it.';
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(path)) return removes;
  return `\`git show ${shellWord(`${target}:${path}`)}\` prints its old content; ${removes}`;
}

const short = (id: string) => id.slice(0, 7);

/** Services with content that is not kept: kept files stay and do not make a service. */
async function servicesOf(context: CheckContext, content: ScopeContent, commit: ObjectId): Promise<string[]> {
  const { snapshot, scope } = context.query;
  const { tenant, environment } = scope;
  const within = { ...(tenant !== undefined && { tenant }), environment };
  const scopes = await discover(await snapshot.view(commit), snapshot.layout, within);
  const services: string[] = [];
  const ownedBy = ownedIn(context, content);
  for (const service of scopes.flatMap((coordinates) => coordinates.service ?? [])) {
    const owned = ownedBy(service);
    // A service may be a key of a file that the environment owns as a whole.
    const isShared = owned.files.size === 0 && owned.parts.size === 0;
    if (isShared || (await hasContent(context, owned))) services.push(service);
  }
  return services;
}

type OwnedContent = Pick<ScopeContent, 'files' | 'parts'>;

/** The content of each service, taken apart once. */
function ownedIn({ query }: CheckContext, { files, parts }: ScopeContent): (service: string) => OwnedContent {
  const owners = new Map<
    string | null,
    { files: Map<string, FileEntry>; parts: Map<string, SelectedPart> }
  >();
  const contentOf = (service: string | null) => {
    const owned = owners.get(service) ?? { files: new Map(), parts: new Map() };
    owners.set(service, owned);
    return owned;
  };
  for (const [path, file] of files)
    contentOf(serviceOfPath(query.snapshot.layout, query.scope, path)).files.set(path, file);
  for (const [key, part] of parts) contentOf(part.service).parts.set(key, part);
  return contentOf;
}

async function hasContent({ query }: CheckContext, { files, parts }: OwnedContent): Promise<boolean> {
  if ([...parts.values()].some(({ restorable }) => restorable !== null)) return true;
  for (const [path, file] of files)
    if ((await keptIn(query.snapshot, path, [file])).whole === null) return true;
  return false;
}
