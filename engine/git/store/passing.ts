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
    const isWhole = passed.size + unknown.length <= REMEMBERED;
    if (!isWhole) passed.clear();
    const tell = counting(onProgress, unknown.length);
    const failed = new Set<ObjectId>();
    let seen = 0;
    await child.each(unknown, limit, ({ id, type, bytes }) => {
      if (type === 'blob' && passes(bytes)) passed.add(id);
      else failed.add(id);
      tell((seen += 1));
    });
    onProgress?.(null);
    if (isMany && seen - failed.size >= WORTH_A_FILE)
      await writeChecked(file(rules), FORM, Buffer.from([...passed].join(''), 'hex')).catch(() => undefined);
    // What was not seen is missing or over the limit; what was known before may have had to go.
    return seen === unknown.length && isWhole ? passed : new Set(ids.filter((id) => !failed.has(id)));
  };
}
