/** Short names of fields that no service has. */
import { type Check, type Coordinates, isFailure } from '../../model/index.ts';
import { locate } from '../../yaml/core/locate.ts';
import { refusalReason } from '../../yaml/core/refusal.ts';
import { formatSelector, parseLooseSelector } from '../../yaml/core/selector.ts';
import { readParsed } from '../../layout/discover.ts';
import { fieldSelection, resolveFields } from '../../layout/fields/field.ts';
import { nearNames } from '../../layout/near-names.ts';
import { nearSelectorIn } from './patterns.ts';
import { type CheckedTree, configuration, count } from './tree.ts';

/** Services asked for a field that none of them seems to have. */
const ASKED = 500;

export async function checkFields(tree: CheckedTree): Promise<Check[]> {
  const services = tree.coordinates.filter(({ service }) => service !== undefined).slice(0, ASKED);
  const fields = Object.entries(tree.layout.config.fields);
  if (fields.length === 0 || services.length === 0) return [];
  const checks: Check[] = [];
  for (const [name, field] of fields) {
    if (await anyHas(tree, services, field)) continue;
    const suggestion = await nearField(tree, services, field);
    checks.push(
      configuration('fields', 'warn', {
        message: `fields: ${name} (${JSON.stringify(field)}) is in none of ${count(services.length, 'service')}.`,
        hint:
          suggestion === null
            ? 'Correct it: the path begins in the folder of the service, or at the root of the repository.'
            : `Did you mean ${JSON.stringify(suggestion)}? That one is there.`,
        details: { field: name, ...(suggestion !== null && { suggestion }) },
      }),
    );
  }
  if (checks.length > 0) return checks;
  return [
    configuration('fields', 'ok', {
      message: `Each of the ${count(fields.length, 'short name')} names a field of some service.`,
    }),
  ];
}

async function anyHas(tree: CheckedTree, services: readonly Coordinates[], field: string): Promise<boolean> {
  for (const coordinates of services) if ((await look(tree, coordinates, field)) === 'found') return true;
  return false;
}

type Look = 'found' | 'no file' | { readonly path: string };

/** `path`: the file is there, and the field is not in it, or no rollback may touch it. */
async function look({ view, layout }: CheckedTree, coordinates: Coordinates, field: string): Promise<Look> {
  try {
    const [resolved = ''] = await resolveFields({ view, layout, coordinates, fields: [field] });
    const { path, selector } = fieldSelection(resolved);
    const text = await readParsed(view, path);
    return text && locate(text, selector) !== null ? 'found' : { path };
  } catch (error) {
    if (refusalReason(error) !== null) return 'found'; // Something is there, and it is not certain what.
    if (!isFailure(error) || error.code === 'OBJECT_MISSING') throw error;
    return 'no file';
  }
}

/** The first services only: it is a suggestion. */
async function nearField(
  tree: CheckedTree,
  all: readonly Coordinates[],
  field: string,
): Promise<string | null> {
  const services = all.slice(0, 20);
  const [path = '', selector = ''] = field.split(/#(.*)/su);
  for (const coordinates of services) {
    const seen = await look(tree, coordinates, field);
    if (typeof seen === 'string') continue;
    const text = await readParsed(tree.view, seen.path);
    const near = text && nearSelectorIn(text, parseLooseSelector(selector));
    if (near) return `${path}#${formatSelector(near)}`;
  }
  const parts = path.split('/');
  for (const [at, part] of parts.entries())
    for (const near of nearNames(part, tree.names.all)) {
      const candidate = `${parts.with(at, near).join('/')}#${selector}`;
      if (await anyHas(tree, services, candidate)) return candidate;
    }
  return null;
}
