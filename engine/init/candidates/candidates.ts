/** From each axis of a tree: the patterns of a layout, and how convincing they are. */
import { type Axis, findAxes, isGenerated, weightOf } from '../survey/axes.ts';
import type { Candidate } from './candidate.ts';
import type { ReadValues } from '../survey/content.ts';
import { lookInside } from './files.ts';
import { keyedCandidates } from './keyed.ts';
import { onlyEnvironment } from './single-environment.ts';
import { type ServicePattern, servicesBelow } from './services.ts';
import type { ShapeName } from '../proposal/shapes.ts';
import { namesService } from '../survey/sites.ts';
import type { Survey } from '../survey/survey.ts';
import {
  ENVIRONMENT_FOLDERS,
  environmentWord,
  isRegion,
  isVersion,
  SERVICE_FOLDERS,
  TENANT_FOLDERS,
} from '../survey/words.ts';

const LOOKED_AT = 40;

/** The best first. */
export async function findCandidates(
  survey: Survey,
  read: ReadValues,
  { environments, shape }: { readonly environments?: readonly string[]; readonly shape?: ShapeName } = {},
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const axis of withoutDominated(findAxes(survey, environments)).slice(0, LOOKED_AT)) {
    const candidate = await toCandidate(survey, read, axis);
    if (candidate) found.push(candidate);
  }
  if (!found.some(({ isConvincing }) => isConvincing) || shape === 'list-key' || shape === 'map-key')
    found.push(...(await keyedCandidates(survey, read, environments)));
  if (!environments && !found.some(({ isConvincing }) => isConvincing)) {
    const only = await onlyEnvironment(survey, read);
    const candidate = only && (await toCandidate(survey, read, only));
    if (candidate) found.push({ ...candidate, isOnly: true });
  }
  return behindWider(found).sort((a, b) => b.score - a.score);
}

/** Some of the environments of another candidate that explains more: it goes with that one, not before it. */
function behindWider(all: readonly Candidate[]): Candidate[] {
  return all.map((one) => {
    const wider = all.find(
      (other) =>
        other !== one &&
        other.isConvincing &&
        other.axis.files > one.axis.files &&
        other.names.size > one.names.size &&
        openFolders(other.axis) <= openFolders(one.axis) &&
        [...one.names].every((name) => other.names.has(name)),
    );
    return wider && wider.score < one.score ? { ...one, score: wider.score - 0.001 } : one;
  });
}

const openFolders = ({ prefix }: Axis) => prefix.filter((name) => name === '*').length;

/** Of axes that speak of the same names, the one that says most: the widest, and the outermost. */
function withoutDominated(axes: readonly Axis[]): Axis[] {
  const best = axes.slice(0, 300);
  return best.filter((axis) => !best.some((other) => other !== axis && dominates(other, axis)));
}

function dominates(other: Axis, axis: Axis): boolean {
  if (
    other.evidence < CONVINCING ||
    (isGenerated(other.prefix.join('/')) && !isGenerated(axis.prefix.join('/')))
  )
    return false;
  if (isWhole(axis, other)) return true;
  const ratio = other.evidence / axis.evidence;
  if (ratio >= 0.7 && isWithin(axis, other)) return true;
  if (other.files <= axis.files) return false;
  if (ratio >= 0.7 && isNarrower(axis, other)) return true;
  const common = [...axis.names].filter((name) => other.names.has(name)).length;
  return (
    isWider(other, axis) &&
    (isExpected(other) ? ratio >= 0.6 : ratio >= 0.85 && common >= 0.8 * other.names.size)
  );
}

/** Below an environment the same words mean something else. */
function isWithin(axis: Axis, { prefix, form, names }: Axis): boolean {
  if (form.file || form.before !== '' || axis.prefix.length <= prefix.length) return false;
  const name = axis.prefix[prefix.length] ?? '';
  return (
    prefix.every((part, index) => part === '*' || part === axis.prefix[index]) &&
    (name === '*' || names.has(name))
  );
}

/** `values-eu-{environment}` beside `values-{environment}`. */
function isNarrower(axis: Axis, { prefix, form }: Axis): boolean {
  if (axis.form.file !== form.file || axis.form.after !== form.after || form.before === '') return false;
  return (
    axis.form.before.startsWith(form.before) &&
    axis.form.before !== form.before &&
    coversPath(prefix, axis.prefix)
  );
}

/** `{environment}.yaml` where most such files are `values-{environment}.yaml`. */
function isWhole(axis: Axis, { prefix, form, files }: Axis): boolean {
  const whole = axis.form.file && form.file && axis.form.before === '' && form.before !== '';
  return (
    whole &&
    form.after === axis.form.after &&
    coversPath(prefix, axis.prefix) &&
    coversPath(axis.prefix, prefix) &&
    files >= 0.6 * axis.files
  );
}

/** Is one the same as the other, with a folder varying that the other names? */
export function isWider({ prefix, form }: Axis, other: Axis): boolean {
  const same =
    other.form.file === form.file && other.form.before === form.before && other.form.after === form.after;
  return same && coversPath(prefix, other.prefix);
}

/** Do the folders around it say that tenants or services stand there? */
const isExpected = ({ prefix }: Axis) =>
  prefix.every((name, index) => {
    const above = (prefix[index - 1] ?? '').toLowerCase();
    return name !== '*' || SERVICE_FOLDERS.has(above) || TENANT_FOLDERS.has(above);
  });

const coversPath = (wide: readonly string[], path: readonly string[]) =>
  wide.length === path.length && wide.every((part, index) => part === '*' || part === path[index]);

const CONVINCING = 0.35;

type Role = 'tenant' | 'service';

async function toCandidate(survey: Survey, read: ReadValues, found: Axis): Promise<Candidate | null> {
  const axis = await lookInside({ survey, read }, found);
  if (axis === null) return null;
  const all = namesService(axis.form) ? [] : await servicesBelow({ survey, read, axis });
  const roles = rolesOf(axis, all);
  if (roles === null) return null;
  const below = [...roles.values()].includes('service') ? [] : all;
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
  if (stages(serviceNames) > 1 && stages(serviceNames) > stages(axis.names)) return null;
  return {
    axis,
    hasTenant: place.includes('{tenant}'),
    names: axis.names,
    environment: above ? null : own,
    services,
    serviceNames,
    isGenerated: isGenerated(axis.prefix.join('/')),
    isOnly: false,
    isConvincing:
      ![...axis.names, ...serviceNames].some(isVersion) &&
      !isOther(axis) &&
      axis.evidence + 0.04 * Math.min(serviceNames.size, 3) >= CONVINCING,
    score: weightOf(survey, axis) + 0.02 * Math.min(serviceNames.size, 5),
  };
}
/** Names that no word tells from those of teams, or of the parts of a service, where such stand. */
export function isOther({ form: { file, before }, names, prefix }: Axis): boolean {
  const folder = (index: number) => (prefix.at(index) ?? '').toLowerCase();
  const isPart = file && before === '' && prefix.at(-1) === '*' && SERVICE_FOLDERS.has(folder(-2));
  if (!isPart && !TENANT_FOLDERS.has(folder(-1))) return false;
  return ![...names].some((name) => environmentWord(name).weight > 0 || isRegion(name));
}

/** Services called `prod` and `dev` are environments, and what was taken for those is something else. */
const stages = (names: ReadonlySet<string>) =>
  [...names].filter((name) => {
    const { weight, rest } = environmentWord(name);
    return weight >= 0.5 && rest === '';
  }).length;

/** What the varying folders above the environment are; null where there are too many of them. */
function rolesOf({ prefix, form }: Axis, below: readonly ServicePattern[]): Map<number, Role> | null {
  const open = prefix.flatMap((name, index) => (name === '*' ? [index] : []));
  const inForm = namesService(form);
  // One name in all of them, as `app.yaml`, is what a service consists of.
  const hasServices = below.some(({ names }) => names.size > 1);
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
  // What stands in `clusters/` is more than a service.
  if (isIn(first, ENVIRONMENT_FOLDERS) && form.file) return null;
  return new Map([[first, hasServices ? 'tenant' : 'service']]);
}

function namesAbove({ places }: Axis, roles: ReadonlyMap<number, Role>): Set<string> {
  const at = [...roles].find(([, role]) => role === 'service')?.[0];
  return new Set(
    places.flatMap(({ folder, services = [] }) =>
      at === undefined ? services : (folder.split('/')[at] ?? []),
    ),
  );
}
