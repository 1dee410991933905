/** From each place where environments stand: the patterns of a layout, and how convincing they are. */
import { type Axis, findAxes } from './axes.ts';
import { onlyEnvironment } from './only.ts';
import type { ReadValues } from './content.ts';
import { type ServicePattern, servicesBelow } from './services.ts';
import type { Survey } from './survey.ts';
import { GENERATED_FOLDERS, SERVICE_FOLDERS, TENANT_FOLDERS } from './words.ts';

export interface Candidate {
  readonly hasTenant: boolean;
  readonly names: ReadonlySet<string>;
  /** Pattern of the environment; null where a service stands above it. */
  readonly environment: string | null;
  readonly services: readonly { readonly pattern: string; readonly names: ReadonlySet<string> }[];
  readonly serviceNames: ReadonlySet<string>;
  readonly score: number;
  readonly isConvincing: boolean;
  /** Looks like what a tool made from the rest. */
  readonly isGenerated: boolean;
  /** The tree names no environment: what holds the services stands for the one there is. */
  readonly isOnly: boolean;
}

/** The best first. */
export async function findCandidates(survey: Survey, read: ReadValues): Promise<Candidate[]> {
  const found: Candidate[] = [];
  const axes = await findAxes(survey, read);
  for (const axis of axes.slice(0, 60)) {
    const candidate = await toCandidate(survey, read, axis);
    if (candidate) found.push(candidate);
  }
  if (!found.some(({ isConvincing }) => isConvincing)) {
    const only = await onlyEnvironment(survey, read);
    const candidate = only && (await toCandidate(survey, read, only));
    if (candidate) found.push({ ...candidate, isOnly: true });
  }
  return found.sort((a, b) => b.score - a.score);
}

type Role = 'tenant' | 'service';

async function toCandidate(survey: Survey, read: ReadValues, axis: Axis): Promise<Candidate | null> {
  const below = axis.form.before.includes('{service}') ? [] : await servicesBelow({ survey, read, axis });
  const roles = rolesOf(axis, below);
  if (roles === null) return null;
  const prefix = axis.prefix.map((name, index) => {
    const role = roles.get(index);
    return role === undefined ? name : `{${role}}`;
  });
  const { file, before, after } = axis.form;
  const place = [...prefix, `${before}{environment}${after}`].join('/');
  const own = file ? place : `${place}/**`;
  const above = place.includes('{service}');
  const services = above
    ? [{ pattern: own, names: namesAbove(axis, roles) }]
    : below.map(({ below: text, names }) => ({ pattern: `${place}${text}`, names }));
  if ([own, ...services.map(({ pattern }) => pattern)].some(({ length }) => length > 500)) return null;
  const serviceNames = new Set(services.flatMap(({ names }) => [...names]));
  const isGenerated = axis.prefix.some((name) => GENERATED_FOLDERS.has(name.toLowerCase()));
  return {
    hasTenant: place.includes('{tenant}'),
    names: axis.names,
    environment: above ? null : own,
    services,
    serviceNames,
    isGenerated,
    isOnly: false,
    isConvincing: axis.evidence >= 0.8 && axis.evidence + 0.2 * Math.min(serviceNames.size, 3) >= 1,
    score: Math.min(axis.evidence, 3) + 0.5 * Math.min(serviceNames.size, 6) - (isGenerated ? 4 : 0),
  };
}

/** What the varying folders above the environment are; null where there are too many of them. */
function rolesOf({ prefix, form }: Axis, below: readonly ServicePattern[]): Map<number, Role> | null {
  const open = prefix.flatMap((name, index) => (name === '*' ? [index] : []));
  const inForm = form.before.includes('{service}');
  const [first, second, ...rest] = open;
  if (rest.length > 0 || (second !== undefined && inForm)) return null;
  const isIn = (index: number, words: ReadonlySet<string>) =>
    words.has((prefix[index - 1] ?? '').toLowerCase());
  if (first === undefined) {
    // One service so far, in a folder that is made for more.
    const lone = prefix.findLastIndex((_, index) => isIn(index, SERVICE_FOLDERS));
    return new Map(below.length === 0 && !inForm && lone > 0 ? [[lone, 'service']] : []);
  }
  if (second !== undefined)
    return new Map([[first, 'tenant'], ...(below.length > 0 ? [] : [[second, 'service'] as const])]);
  if (inForm || isIn(first, TENANT_FOLDERS)) return new Map([[first, 'tenant']]);
  if (isIn(first, SERVICE_FOLDERS)) return new Map([[first, 'service']]);
  return new Map([[first, below.length > 0 ? 'tenant' : 'service']]);
}

function namesAbove({ places }: Axis, roles: ReadonlyMap<number, Role>): Set<string> {
  const at = [...roles].find(([, role]) => role === 'service')?.[0];
  return new Set(
    places.flatMap(({ folder, services = [] }) =>
      at === undefined ? services : (folder.split('/')[at] ?? []),
    ),
  );
}
