/** What `keep` holds at the tip, and what it lets go that looks like a secret. */
import { isMap, isSeq } from 'yaml';
import { type Check, quotePath } from '../../model/index.ts';
import { tryParse } from '../../yaml/core/try-parse.ts';
import { formatSelector, isWithin } from '../../yaml/core/selector.ts';
import { DEFAULT_KEEP } from '../../layout/configuration/parse.ts';
import { compileKeep, type KeptPart } from '../../layout/keep.ts';
import { bindPath } from '../../layout/pattern.ts';
import { decode } from '../../yaml/core/text.ts';
import { isFile } from '../../snapshot/view.ts';
import { type CheckedTree, configuration, count, some } from './tree.ts';

/** Contents looked into: a repository may hold hundreds of thousands. */
const LOOKED_INTO = 20_000;

export async function checkKeep(tree: CheckedTree): Promise<Check[]> {
  const { layout, view } = tree;
  const secrets = compileKeep([...DEFAULT_KEEP]);
  const byRule = new Map<string, string[]>();
  const exposed: string[] = [];
  const generated: string[] = [];
  const note = (rule: string, place: string) => {
    const places = byRule.get(rule) ?? [];
    byRule.set(rule, places);
    places.push(place);
  };
  const within = inScope(tree);
  for (const { path } of within.slice(0, LOOKED_INTO)) {
    const whole = layout.keep.path(path);
    if (whole !== null) {
      note(whole, path);
      continue;
    }
    const bytes = await view.read(path);
    const text = bytes && decode(bytes);
    if (text === null) continue;
    const content = layout.keep.content(path, text);
    if (content !== null) {
      note(content, path);
      continue;
    }
    const parts = layout.keep.parts(path, [text]);
    for (const { by, selector } of parts) note(by, `${path}#${formatSelector(selector)}`);
    const open = secrets
      .parts(path, [text])
      .filter((secret) => !parts.some((part) => isWithin(secret.selector, part.selector)));
    if (secrets.content(path, text) !== null || open.length > 0) exposed.push(path);
    if (hasSecretLiterals(path, text, parts)) generated.push(path);
  }
  const rest = within.length - LOOKED_INTO;
  const partly = rest > 0 ? ` The contents of ${rest} more files were not looked into.` : '';
  return [...exposedCheck(exposed, partly), ...literalsCheck(generated), summary(byRule, partly)];
}

/** Regular files that a rollback could restore. */
function inScope({ layout, files }: CheckedTree) {
  const selections = [...layout.environment, ...layout.service].map((pattern) => bindPath(pattern, {}));
  return files.filter(
    ({ path, mode }) =>
      isFile(mode) &&
      !layout.isExcluded(path) &&
      selections.some((selection) => selection.match(path) !== null),
  );
}

function exposedCheck(exposed: readonly string[], partly: string): Check[] {
  if (exposed.length === 0) return [];
  return [
    configuration('keep', 'warn', {
      message: `A rollback would bring old secrets back: ${some(exposed)} ${exposed.length === 1 ? 'is' : 'are'} in scope and not kept.${partly}`,
      hint: `Add ${DEFAULT_KEEP.map((rule) => JSON.stringify(rule)).join(', ')} to \`keep\`: a list of your own takes the place of these defaults.`,
      details: { count: exposed.length, paths: exposed.slice(0, 50) },
    }),
  ];
}

/** `literals` of a kustomization's `secretGenerator` (kubectl.docs.kubernetes.io): secrets in clear, in a file that is no Secret. */
function hasSecretLiterals(path: string, text: string, kept: readonly KeptPart[]): boolean {
  if (!/(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/.test(path) || !text.includes('secretGenerator'))
    return false;
  const generators = (tryParse(text) ?? []).map((document) => document.get('secretGenerator'));
  const literals = generators
    .flatMap((list) => (isSeq(list) ? list.items : []))
    .flatMap((item) => (isMap(item) ? item.get('literals') : []))
    .some((list) => isSeq(list) && list.items.length > 0);
  const all = [{ key: 'secretGenerator' }];
  return literals && !kept.some(({ selector }) => isWithin(all, selector));
}

function literalsCheck(generated: readonly string[]): Check[] {
  if (generated.length === 0) return [];
  return [
    configuration('literals', 'warn', {
      message: `A rollback would bring old secrets back: \`secretGenerator\` has literals in ${some(generated.map(quotePath))}.`,
      hint: 'Add "**/kustomization.yaml#/secretGenerator" to `keep`, or generate them from an encrypted file.',
      details: { count: generated.length, paths: generated.slice(0, 50) },
    }),
  ];
}

function summary(byRule: ReadonlyMap<string, readonly string[]>, partly: string): Check {
  const rules = [...byRule].map(([rule, places]) => ({
    rule,
    count: places.length,
    examples: places.slice(0, 3),
  }));
  const total = rules.reduce((sum, rule) => sum + rule.count, 0);
  const said = rules.map(({ rule, count: held, examples }) => `${rule} ${held} (${examples[0] ?? ''})`);
  const message =
    total === 0
      ? `Nothing in scope is kept out of rollbacks.${partly}`
      : `${count(total, 'path')} or parts of files are kept: ${some(said, 5)}.${partly}`;
  return configuration('keep', 'ok', { message, details: { rules } });
}
