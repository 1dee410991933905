/** Argo CD and Flux sources that follow a branch of this repository: pinned to the commit that is rolled back to. */
import type { Outline, OutlineEntry } from '../../yaml/core/outline.ts';
import type { ParsedText } from '../../yaml/core/document.ts';
import { formatSelector, type Selector } from '../../yaml/core/selector.ts';
import { locate } from '../../yaml/core/locate.ts';
import type { Adapter, AdapterFile, Taking } from './adapter.ts';

export const gitSource: Adapter = {
  name: 'git-source',
  isEvidence: false,
  looksAround: true,
  mayFind: (text) => text.includes('targetRevision') || text.includes('GitRepository'),
  find: (file) => movingSources(file).find(({ own }) => own)?.taking ?? null,
  unable(file) {
    const other = movingSources(file).find(({ own }) => !own);
    if (other === undefined) return null;
    return `follows ${other.follows} of ${other.address}, which is not known to be this repository (\`holds.sources\`): it is not pinned`;
  },
};

interface Moving {
  readonly own: boolean;
  readonly address: string;
  readonly follows: string;
  readonly taking: Taking;
}

function movingSources(file: AdapterFile): Moving[] {
  const { parsed } = file;
  return parsed.bodies.flatMap(({ root }, index) => {
    const at: Selector = parsed.bodies.length > 1 ? [{ index }] : [];
    const kind = textAt(parsed, root, ['kind']);
    const group = textAt(parsed, root, ['apiVersion'])?.split('/')[0] ?? '';
    if (kind === 'Application' && group === 'argoproj.io') return applicationSources(file, root, at);
    if (kind === 'GitRepository' && group === 'source.toolkit.fluxcd.io')
      return gitRepository(file, root, at);
    return [];
  });
}

function applicationSources(file: AdapterFile, root: Outline, at: Selector): Moving[] {
  const spec = entryAt(root, ['spec'])?.value;
  if (spec === undefined) return [];
  const one = entryAt(spec, ['source'])?.value;
  const sources = entryAt(spec, ['sources'])?.value;
  const several = sources?.kind === 'seq' ? sources.entries.map(({ value }) => value) : [];
  const found = [
    ...(one ? [{ source: one, path: [{ key: 'spec' }, { key: 'source' }] as Selector }] : []),
    ...several.map((source, index) => ({
      source,
      path: [{ key: 'spec' }, { key: 'sources' }, { index }] as Selector,
    })),
  ];
  return found.flatMap(({ source, path }) => {
    const { text } = file.parsed;
    const address = textAt(file.parsed, source, ['repoURL']);
    const entry = entryAt(source, ['targetRevision']);
    const follows = textAt(file.parsed, source, ['targetRevision']);
    const isMoving = follows === 'HEAD' || follows === file.settings.branch;
    if (address === null || !entry || follows === null || !isMoving || !isPlain(entry)) return [];
    const put = commitSource(file.settings.target, text.slice(entry.value.start, entry.value.end));
    const selector = canonical(file.parsed, [...at, ...path, { key: 'targetRevision' }]);
    if (selector === null) return [];
    const { start, end } = entry.value;
    const taking: Taking = { start, end, text: put, part: { kind: 'value', selector, put } };
    return [{ own: file.settings.isOwn(address), address, follows, taking }];
  });
}

/** `branch: main` becomes `commit: …`: a branch by the name of a commit does not exist. */
function gitRepository(file: AdapterFile, root: Outline, at: Selector): Moving[] {
  const { parsed, settings } = file;
  const address = textAt(parsed, root, ['spec', 'url']);
  const ref = entryAt(root, ['spec', 'ref'])?.value;
  const entry = ref && entryAt(ref, ['branch']);
  const follows = ref ? textAt(parsed, ref, ['branch']) : null;
  if (address === null || !ref || !entry || follows === null || !isPlain(entry) || entry.explicit) return [];
  if (entryAt(ref, ['commit']) || follows !== settings.branch) return [];
  const selector = canonical(parsed, [...at, { key: 'spec' }, { key: 'ref' }, { key: 'branch' }]);
  if (selector === null) return [];
  const { start } = entry;
  const { end } = entry.value;
  const source = parsed.text.slice(start, end);
  const quoted = source.startsWith('"');
  const between = parsed.text.slice(entry.keyNode?.range?.[1] ?? start, entry.value.start);
  const put = `${quoted ? '"commit"' : 'commit'}${between}${commitSource(settings.target, parsed.text.slice(entry.value.start, end))}`;
  const placed = `${selector.slice(0, -'/branch'.length)}/commit`;
  const taking: Taking = { start, end, text: put, part: { kind: 'entry', selector: placed, put } };
  return [{ own: settings.isOwn(address), address, follows, taking }];
}

/** In quotes where the value had some, and where digits alone would be read as a number. */
function commitSource(commit: string, source: string): string {
  if (source.startsWith("'")) return `'${commit}'`;
  return source.startsWith('"') || /^\d+(?:e\d+)?$/.test(commit) ? `"${commit}"` : commit;
}

const isPlain = ({ value }: OutlineEntry) =>
  value.kind === 'scalar' && value.anchor === null && value.tag === '';

function canonical(parsed: ParsedText, selector: Selector): string | null {
  try {
    const found = locate(parsed, selector);
    return found && formatSelector(found.selector);
  } catch {
    return null;
  }
}

export function entryAt(outline: Outline, keys: readonly string[]): OutlineEntry | undefined {
  let at: OutlineEntry | undefined;
  let from: Outline | undefined = outline;
  for (const key of keys) {
    at = from?.kind === 'map' ? from.entries.find((entry) => entry.key === key) : undefined;
    from = at?.value;
  }
  return at;
}

function textAt(_: ParsedText, outline: Outline, keys: readonly string[]): string | null {
  const node = entryAt(outline, keys)?.value.node;
  const value = node && 'value' in node ? node.value : null;
  return typeof value === 'string' ? value : null;
}
