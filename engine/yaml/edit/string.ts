import { isScalar } from 'yaml';
import { parseText, type ParsedText } from '../core/document.ts';
import type { EditResult, FieldRestoration } from './result.ts';
import { guardAnchors, makeContext } from './context.ts';
import { jsonLevel } from '../formats/json-comments.ts';
import { locate, selectSource } from '../core/locate.ts';
import { type Located } from '../core/located.ts';
import { refusalReason, refuse, WHOLE_STRING } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import { canonicalRest, type Hole } from '../core/source.ts';
import { applySplices } from '../core/splice.ts';
import { inString, nameOf, stringAt } from '../formats/strings.ts';
import { writeString } from './source/write-string.ts';

interface StringRestoration {
  readonly base: ParsedText;
  readonly target: ParsedText;
  /** Enters a string. */
  readonly selector: Selector;
  readonly restoreField: (input: FieldRestoration) => EditResult;
}

/**
 * Edits a field of a document inside a string: edits the document, then the lines of the string. Verifies that the string is the edited
 * document, that the field equals the target's, and that everything outside of the string is unchanged.
 */
export function editString({ base, target, selector, restoreField }: StringRestoration): EditResult {
  const at = selector.findIndex((step) => 'enter' in step);
  const outer = selector.slice(0, at);
  const [own, other] = [locate(base, outer), locate(target, outer)];
  if (own === null) {
    if (selectSource(target, selector) === null)
      return { ok: true, text: base.text, changed: false, operations: [] };
    return refuse('missing-parent', `The string ${formatSelector(outer)} does not exist.`);
  }
  const text = stringAt(own) ?? '';
  const result = restoreField({
    path: nameOf(own),
    base: text,
    target: (other && stringAt(other)) ?? '',
    selector: selector.slice(at + 1),
  });
  if (!result.ok) {
    // Even if the document cannot be parsed, its string can be restored as a whole.
    const hint = result.reason === 'format' || result.reason === 'syntax' ? WHOLE_STRING : result.hint;
    return { ...result, hint, message: inString(own, result.message) };
  }
  if (!result.changed) return { ok: true, text: base.text, changed: false, operations: [] };
  guardAnchors(makeContext(base, target, own), own.outline, false);
  const edited = applySplices(base.text, [writeString(own, text, result.text)]);
  verifyString({ base, target, selector, outer, text: edited, string: result.text });
  const operations = result.operations.map(({ op, selector: inner }) => ({
    op,
    selector: `${formatSelector(outer)}|${inner}`,
  }));
  return { ok: true, text: edited, changed: true, operations };
}

interface StringEdit {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly selector: Selector;
  readonly outer: Selector;
  readonly text: string;
  /** The expected string. */
  readonly string: string;
}

function verifyString({ base, target, selector, outer, text, string }: StringEdit): void {
  for (const version of ['1.2', '1.1'] as const) {
    const [before, after] = [base.text, text].map((source) => parseAgain(source, base, version));
    const [was, is] = [before && locate(before, outer), after && locate(after, outer)];
    if (!before || !after || !was || !is) return fail('the string would not exist');
    if (stringAt(is) !== string) fail('the string would not be the edited document');
    if (styleOf(was) !== styleOf(is)) fail('the style of the string would change');
    if (canonicalRest(before, holeOf(was)) !== canonicalRest(after, holeOf(is)))
      fail('another field would change as well');
  }
  const result = parseAgain(text, base, '1.2');
  if (selectSource(result, selector) !== selectSource(target, selector))
    fail('the field would differ from the target');
  const [level, now] = [jsonLevel(base.text), jsonLevel(text)];
  if (level !== now) fail('the file would no longer be JSON');
}

function parseAgain(text: string, { format }: ParsedText, version: '1.2' | '1.1'): ParsedText {
  try {
    return parseText(text, { format, version });
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return fail('the file would not be valid');
  }
}

const styleOf = ({ node, outline }: Located) =>
  `${isScalar(node) ? node.type : ''} ${outline.tag} ${outline.anchor ?? ''}`;

const holeOf = ({ parent, entry, outline }: Located): Hole =>
  parent ? { parent, entry } : { root: outline };

function fail(problem: string): never {
  refuse('verify-mismatch', `The edit failed verification: ${problem}.`);
}
