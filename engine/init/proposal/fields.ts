/** Short names for the fields that are rolled back most: images, versions, replicas. */
import type { Coordinates, TreeView } from '../../model/index.ts';
import { bindPath, bindSelector, toBindings } from '../../layout/pattern.ts';
import type { Layout } from '../../layout/layout.ts';
import { walkFiles } from '../../snapshot/view.ts';
import { at, isPlain, type ReadValues } from '../survey/content.ts';
import { sample } from '../survey/survey.ts';

const SERVICES = 8;
const FILES = 12;
const DEPTH = 7;

/** `image: "service.yaml#/image/tag"`: what most of the sampled services have in the same place. */
export async function findFields(look: {
  readonly view: TreeView;
  readonly read: ReadValues;
  readonly layout: Layout;
  readonly services: readonly Coordinates[];
}): Promise<Record<string, string>> {
  const counts = new Map<string, Set<string>>();
  const looked = sample(look.services, SERVICES);
  for (const service of looked)
    for (const place of new Set(await placesOf(look, service)))
      counts.set(place, (counts.get(place) ?? new Set()).add(service.service ?? ''));
  const names = new Set(looked.map(({ service }) => service));
  const fields: Record<string, string> = {};
  for (const [place, count] of [...counts].sort(
    (a, b) => b[1].size - a[1].size || a[0].length - b[0].length,
  )) {
    const [name = '', field = ''] = place.split(/ (.*)/s);
    if (!Object.hasOwn(fields, name) && isCommon(count.size, names.size)) fields[name] = field;
  }
  return fields;
}

/** Of several services, one says nothing about the others. */
const isCommon = (count: number, all: number) => count >= Math.min(all, 2) && count * 3 >= all;

type Look = Parameters<typeof findFields>[0];

/** `name field` for each field found. */
async function placesOf({ view, read, layout }: Look, service: Coordinates): Promise<string[]> {
  const bindings = toBindings(service);
  const name = service.service ?? '';
  const found: string[] = [];
  for (const pattern of layout.service) {
    const { kind, prefix } = bindPath(pattern, bindings);
    if (kind === 'glob' || /[*?]/.test(pattern.text.replace(/\/\*\*$/, ''))) continue;
    if (pattern.selector) {
      const values = await read(prefix);
      for (const value of values.length === 1 ? follow(values[0], pattern, service) : [])
        found.push(...fieldsIn(value, name).map(([short, pointer]) => `${short} #${pointer}`));
      continue;
    }
    let folders = FILES;
    const some = () => (folders -= 1) >= 0;
    const files = kind === 'path' ? [prefix] : (await walkFiles(view, prefix, some)).map(({ path }) => path);
    for (const file of files.filter(isPlainFile).slice(0, FILES)) {
      const [document, ...others] = await read(file);
      if (others.length > 0 || file.includes('/secrets/')) continue;
      const relative =
        kind === 'path'
          ? (pattern.text.split('/').at(-1) ?? '')
          : templated(file.slice(prefix.length + 1), name);
      found.push(...fieldsIn(document, name).map(([short, pointer]) => `${short} ${relative}#${pointer}`));
    }
  }
  return found;
}

/** YAML or JSON, of a name that a field can have as it is. */
const isPlainFile = (path: string) => /^[\w./ -]+\.(?:ya?ml|json)$/i.test(path);

/** The service's name in the name of its file becomes `{service}`. */
function templated(path: string, service: string): string {
  const cut = path.lastIndexOf('/') + 1;
  const file = path.slice(cut);
  const inName = new RegExp(`(?<![\\w])${service.replace(/[^\w]/g, '\\$&')}(?![\\w])`);
  return `${path.slice(0, cut)}${file.replace(inName, () => '{service}')}`;
}

function follow(root: unknown, pattern: Layout['service'][number], service: Coordinates): unknown[] {
  let value = root;
  for (const step of bindSelector(pattern.selector ?? [], toBindings(service))) {
    if ('key' in step) value = at(value, step.key);
    else if ('match' in step)
      value = Array.isArray(value)
        ? value.find((item) => Object.entries(step.match).every(([key, wanted]) => at(item, key) === wanted))
        : undefined;
    else return [];
  }
  return isPlain(value) ? [value] : [];
}

function fieldsIn(root: unknown, service: string): [name: string, pointer: string][] {
  const found: [string, string][] = [];
  const visit = (value: unknown, pointer: string, depth: number): void => {
    if (depth > DEPTH || found.length > 40) return;
    if (Array.isArray(value)) {
      const own: unknown = value.find((item) => at(item, 'name') === service);
      if (own !== undefined && pointer !== '') visit(own, `${pointer}[name={service}]`, depth + 1);
      // One image or container is the service's, whatever it is called.
      else if (value.length === 1 && /\/(?:images|containers)$/.test(pointer))
        visit(value[0], `${pointer}/0`, depth + 1);
    }
    if (!isPlain(value)) return;
    for (const [key, child] of Object.entries(value)) {
      if (!/^[A-Za-z][\w-]*$/.test(key)) continue;
      const path = `${pointer}/${key}`;
      const name = isLeaf(child) ? nameOf(key, child, path) : null;
      if (name !== null) found.push([name, path]);
      else visit(child, path, depth + 1);
    }
  };
  visit(root, '', 0);
  return found;
}

const isLeaf = (value: unknown) => typeof value === 'string' || typeof value === 'number';

function nameOf(key: string, value: unknown, path: string): string | null {
  if (/^(?:tag|newTag|imageTag)$/.test(key)) return 'image';
  if (key === 'image' && typeof value === 'string' && value.includes(':')) return 'image';
  if (/^replica(?:s|Count)$/.test(key) || /\/replicas\[[^/]*\/count$/.test(path)) return 'replicas';
  if (key === 'targetRevision') return 'revision';
  return /^\/version$|\/chart\/spec\/version$/.test(path) ? 'version' : null;
}
