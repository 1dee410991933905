import type { Reference } from './kustomization.ts';
import { cleanText } from '../quoted-text.ts';
import { isInline, itemsOf, mapAt, pathsIn, readStrictly, toMap } from './strict.ts';
import { textOf } from '../value.ts';

/** Files that built-in plugin configurations refer to. Any other plugin is a program and refused. */
export function readPlugins(path: string, bytes: Uint8Array, from: Reference): readonly Reference[] {
  const file = readStrictly(path, bytes);
  const hint =
    'Only built-in plugins without functions run here: programs from a repository are not executed.';
  return file.documents.flatMap((document): Reference[] => {
    const value = toMap(file, document);
    const annotations = mapAt(mapAt(value, 'metadata'), 'annotations');
    const runs = [...annotations.keys()].some((key) =>
      /function|^config\.(?:kubernetes|k8s)\.io\//i.test(key),
    );
    const kind = textOf(value.get('kind')) ?? '';
    // Items of a list would be plugins themselves.
    if (textOf(value.get('apiVersion')) !== 'builtin' || runs || /list$/i.test(kind))
      throw from.refuse('is a plugin that would run a program.', hint);
    if (/helm/i.test(kind)) throw from.refuse('is a plugin that would run helm.', hint);
    const fail = (problem: string) => from.refuse(`names files in an unsupported way: ${problem}`);
    const nested = value.get('replacements');
    const texts = [
      ...pathsIn(value, ['path', 'paths', 'files', 'env', 'envs'], fail),
      ...(nested === undefined ? [] : itemsOf(nested, fail).flatMap((item) => pathsIn(item, ['path'], fail))),
    ];
    return texts
      .filter((text) => !isInline(text))
      .map((text) => ({
        path: text,
        wanted: 'file',
        refuse: (problem) => from.refuse(`${problem} (${cleanText(text)})`),
      }));
  });
}
