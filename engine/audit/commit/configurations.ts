/** The configuration in force at a commit, under the rules that a rollback was made by. Each file is parsed once. */
import { type Entry, isFailure, type ObjectId, type ObjectReader, type Rules } from '../../model/index.ts';
import { CONFIG_PATH } from '../../model/config.ts';
import { parseConfig } from '../../layout/configuration/parse.ts';
import { compileLayout, type Layout } from '../../layout/layout.ts';
import type { ConfigText } from '../../rollback/observe.ts';
import { isFile, treeView } from '../../snapshot/view.ts';
import { decode } from '../../yaml/core/text.ts';
import { canonical } from './changes.ts';

type Configured =
  | { readonly layout: Layout }
  /** `missing`, or why it cannot be read. */
  | { readonly layout: null; readonly why: string | null };

export type Configurations = (tree: ObjectId, rules: Rules) => Promise<Configured>;

/** Of a branch whose configuration changes all the time. */
const KEPT = 200;

/** `outside`: one that is not in the repository, for commits that have none. */
export function createConfigurations(reader: ObjectReader, outside: ConfigText | null): Configurations {
  const known = new Map<string, Promise<Configured>>();
  const parse = async ({ id, mode }: Entry, rules: Rules): Promise<Configured> => {
    if (!isFile(canonical(mode))) return { layout: null, why: 'It is no file.' };
    const bytes = await reader.blob(id).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      if (error.code === 'FILE_TOO_LARGE') return 'It is too large.';
      if (error.code === 'OBJECT_MISSING') return error.message;
      throw error;
    });
    if (typeof bytes === 'string') return { layout: null, why: bytes };
    const text = decode(bytes);
    if (text === null) return { layout: null, why: 'It is not UTF-8 text.' };
    try {
      return { layout: compileLayout(parseConfig(text, CONFIG_PATH), rules) };
    } catch (error) {
      if (isFailure(error)) return { layout: null, why: error.message };
      throw error;
    }
  };
  return async (tree, rules) => {
    const entry = await treeView(reader, tree).entry(CONFIG_PATH);
    const key = `${entry?.mode} ${entry?.id} ${rules}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= KEPT) known.clear();
    const made =
      entry !== null
        ? parse(entry, rules)
        : Promise.resolve(
            outside === null
              ? { layout: null, why: null }
              : { layout: compileLayout(parseConfig(outside.text, outside.name), rules) },
          );
    known.set(key, made);
    made.catch(() => known.delete(key));
    return made;
  };
}
