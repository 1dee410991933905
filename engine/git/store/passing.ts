/** Which blobs pass a test of their bytes: read in one go, and remembered, as content never changes. */
import type { ObjectId, ObjectReader, Progress } from '../../model/index.ts';
import type { CatFile } from '../process/catfile.ts';
import { counting } from '../process/progress.ts';
import { readChecked, writeChecked } from './checked-file.ts';

/** So many are worth a file. */
const WORTH_A_FILE = 500;
/** Ids that are remembered for one test. */
const REMEMBERED = 500_000;
const FORM = 'passed 1';

export function createPassing(context: {
  readonly child: CatFile;
  readonly limit: number;
  readonly file: (rules: string) => string;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}): NonNullable<ObjectReader['passing']> {
  const { child, limit, file, onProgress } = context;
  const known = new Map<string, Set<ObjectId>>();
  const fromFile = async (rules: string, width: number) => {
    const content = (await readChecked(file(rules), FORM)) ?? Buffer.alloc(0);
    const ids = new Set<ObjectId>();
    for (let at = 0; at < content.length; at += width) ids.add(content.toString('hex', at, at + width));
    return ids;
  };
  return async (ids, { rules, passes }) => {
    const isMany = ids.length >= WORTH_A_FILE;
    const width = (ids[0]?.length ?? 0) / 2;
    const passed = known.get(rules) ?? (isMany ? await fromFile(rules, width) : new Set<ObjectId>());
    if (isMany) known.set(rules, passed);
    const unknown = ids.filter((id) => !passed.has(id));
    if (unknown.length === 0) return passed;
    const found = new Set(ids);
    const fresh: ObjectId[] = [];
    const tell = counting(onProgress, unknown.length);
    let done = 0;
    await child.each(unknown, limit, ({ id, type, bytes }) => {
      if (type === 'blob' && passes(bytes)) fresh.push(id);
      else found.delete(id);
      tell((done += 1));
    });
    onProgress?.(null);
    if (passed.size + fresh.length > REMEMBERED) passed.clear();
    for (const id of fresh) passed.add(id);
    if (isMany && fresh.length >= WORTH_A_FILE)
      await writeChecked(file(rules), FORM, Buffer.from([...passed].join(''), 'hex')).catch(() => undefined);
    return found;
  };
}
