import type { TreeView } from '../../model/index.ts';
import { convert, newBudget } from '../convert.ts';
import { readSource, type SourceFile } from '../source-file.ts';
import { isVariableName, type Variables } from './substitute.ts';
import type { ServiceUnit } from '../service-unit.ts';
import { isMap, Plain, textOf, type Value } from '../value.ts';

/** A parsed file of variables, shared by the services of a rendering. */
interface VariableFile {
  readonly variables: Variables;
  readonly services: ReadonlyMap<string, Variables>;
}

/** By path; valid for one view. */
export type VariableCache = Map<string, VariableFile>;

/**
 * The variables of a service. Values for the service (`services: {name: {…}}`, or a file in its own folder) override those for the
 * environment (`variables: {…}`); within each, later files override earlier ones. TENANT, ENVIRONMENT and SERVICE are predefined.
 * @throws RENDER_FAILED
 */
export async function loadVariables(
  view: TreeView,
  unit: ServiceUnit,
  cache: VariableCache,
): Promise<Variables> {
  const general = new Map<string, Value>(builtIn(unit));
  const own = new Map<string, Value>();
  for (const path of unit.variableFiles) {
    const file = cache.get(path) ?? (await readVariableFile(view, path));
    cache.set(path, file);
    const inFolder = unit.directory !== null && path.startsWith(`${unit.directory}/`);
    for (const [name, value] of file.variables) (inFolder ? own : general).set(name, value);
    for (const [name, value] of file.services.get(unit.service ?? '') ?? []) own.set(name, value);
  }
  return new Map([...general, ...own]);
}

const builtIn = ({ tenant, environment, service }: ServiceUnit): [string, Value][] => [
  ...(tenant === undefined ? [] : [['TENANT', tenant] satisfies [string, Value]]),
  ['ENVIRONMENT', environment],
  ...(service === undefined ? [] : [['SERVICE', service] satisfies [string, Value]]),
];

async function readVariableFile(view: TreeView, path: string): Promise<VariableFile> {
  const bytes = await view.read(path);
  const variables = new Map<string, Value>();
  const services = new Map<string, Variables>();
  if (bytes === null) return { variables, services };
  const file = readSource(path, bytes);
  const [document, second] = file.documents;
  if (second) throw file.fail(second.range?.[0] ?? 0, 'a file of variables must be one document.');
  const top = document ? convert({ file, document, budget: newBudget(), variables: null }) : undefined;
  if (top instanceof Plain && top.value === null) return { variables, services };
  if (top !== undefined && !isMap(top)) throw file.fail(0, 'a file of variables must be a map.');
  for (const [name, value] of scalars(file, 'variables', top?.get('variables'))) variables.set(name, value);
  for (const [service, map] of sections(file, 'services', top?.get('services')))
    services.set(service, scalars(file, `services.${service}`, map));
  return { variables, services };
}

function sections(file: SourceFile, field: string, value: Value | undefined): ReadonlyMap<string, Value> {
  if (value === undefined || (value instanceof Plain && value.value === null)) return new Map();
  if (!isMap(value)) throw file.fail(offset(file, field), 'must be a map.', { field });
  return value;
}

function scalars(file: SourceFile, field: string, value: Value | undefined): Variables {
  const result = new Map<string, Value>();
  for (const [name, item] of sections(file, field, value)) {
    const place = `${field}.${name}`;
    const fail = (problem: string) => file.fail(offset(file, field, name), problem, { field: place });
    if (!isVariableName(name))
      throw fail('the name of a variable must be letters, digits and _, and must not start with a digit.');
    if (textOf(item) === undefined) throw fail('a variable must be a scalar; write "" for an empty one.');
    result.set(name, item instanceof Plain && typeof item.value === 'string' ? item.source : item);
  }
  return result;
}

/** Offset of a field; 0 if it comes from a merge key or an alias. */
function offset(file: SourceFile, field: string, name?: string): number {
  const [section = '', ...service] = field.split('.');
  const steps = [
    section,
    ...(service.length > 0 ? [service.join('.')] : []),
    ...(name === undefined ? [] : [name]),
  ];
  const node: unknown = file.documents[0]?.getIn(steps, true);
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
    ? Number(node.range[0])
    : 0;
}
