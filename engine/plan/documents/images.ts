/** Container images that a plan brings back: those that are named after it and not before. */
import type { CheckInput } from '../check-input.ts';
import { isFields, textAt } from './documents.ts';

export interface NamedImage {
  readonly image: string;
  /** The first file that has it. */
  readonly path: string;
}

const LONGEST = 512;
/** Nesting that is looked into. */
const DEEPEST = 100;

/** By name. What is delivered says it best; where nothing is, the files themselves. */
export async function imagesBroughtBack({
  plan,
  outputs,
  documents,
}: Pick<CheckInput, 'plan' | 'outputs' | 'documents'>): Promise<NamedImage[]> {
  const [before, after] = [new Set<string>(), new Map<string, string>()];
  for (const { path, ...sides } of outputs.length > 0 ? outputs : plan.files) {
    // Cheaper than parsing what names none.
    if (!/image/i.test((await documents.text(sides.after)) ?? '')) continue;
    for (const value of (await documents.read(path, sides.before)) ?? [])
      collect(value, (image) => before.add(image));
    for (const value of (await documents.read(path, sides.after)) ?? [])
      collect(value, (image) => after.has(image) || after.set(image, path));
  }
  return [...after]
    .filter(([image]) => !before.has(image))
    .map(([image, path]) => ({ image, path }))
    .toSorted((one, other) => (one.image < other.image ? -1 : 1));
}

type Add = (image: string) => void;

/** `image: REFERENCE` as in a Pod, `image: { registry, repository, tag, digest }` as charts have it, `images: [{ name, newName, newTag, digest }]` of kustomize. */
function collect(value: unknown, add: Add, depth = 0): void {
  if (depth > DEEPEST) return;
  if (Array.isArray(value)) for (const item of value) collect(item, add, depth + 1);
  if (!isFields(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'image' && typeof inner === 'string') addReference(inner, add);
    else if (key === 'image' && isFields(inner)) addOfChart(inner, add);
    else if (key === 'images' && Array.isArray(inner)) for (const item of inner) addOfKustomize(item, add);
    collect(inner, add, depth + 1);
  }
}

function addReference(text: string, add: Add): void {
  // A name alone may be a version as well, as in `image: v2`.
  if (text.length <= LONGEST && /[/:@]/.test(text) && !/[\s{}$]/.test(text)) add(text);
}

function addOfChart(image: Readonly<Record<string, unknown>>, add: Add): void {
  const [registry, repository] = [textAt(image, 'registry'), textAt(image, 'repository')];
  const name = [registry, repository].filter(Boolean).join('/');
  if (repository !== undefined) addReference(withVersion(name, image['tag'], image['digest']), add);
}

function addOfKustomize(item: unknown, add: Add): void {
  const name = textAt(item, 'newName') ?? textAt(item, 'name');
  if (name === undefined || !isFields(item)) return;
  if (item['newTag'] === undefined && item['digest'] === undefined) return;
  addReference(withVersion(name, item['newTag'], item['digest']), add);
}

function withVersion(name: string, tag: unknown, digest: unknown): string {
  const tagged = typeof tag === 'string' || typeof tag === 'number' ? String(tag) : '';
  const pinned = typeof digest === 'string' ? digest : '';
  return `${name}${tagged === '' ? '' : `:${tagged}`}${pinned === '' ? '' : `@${pinned}`}`;
}
