import { BacktrailError } from '../../model/index.ts';
import { type ParsedText, parseText } from '../core/document.ts';
import { locate } from '../core/locate.ts';
import { parseFile } from '../core/parse-file.ts';
import { refusalReason } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import { applySplices } from '../core/splice.ts';
import { placeOf } from '../core/text.ts';
import { isLayout, replaceValue } from './change.ts';
import { type Change, type EditContext, makeContext, slotOf } from './context.ts';
import { addDocument, removeDocument } from './document.ts';
import { addField, removeField, replaceField } from './field.ts';
import { changeFile } from './file.ts';
import { editFlat } from './flat-file.ts';
import type { EditResult, FieldRestoration } from './result.ts';
import { editString } from './string.ts';
import { verifyEdit } from './verify.ts';

/**
 * Makes the node at `selector` in `base` what it is in `target`: sets it, adds it or removes it. What is written is the target's own source, moved to its
 * place; everything else stays byte for byte. The result is parsed again and proven before it is returned; whatever cannot be done exactly
 * is refused.
 */
export function restoreField(input: FieldRestoration): EditResult {
  try {
    const [base, target] = [read(input, input.base), read(input, input.target)];
    const restoration = { base, target, selector: input.selector };
    return input.selector.some((step) => 'enter' in step)
      ? editString({ ...restoration, restoreField })
      : restore(restoration);
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === null || !(error instanceof BacktrailError)) throw error;
    const place = /line \d/.test(error.message) ? null : placeOfField(input);
    const message = place === null ? error.message : `${error.message.slice(0, -1)} (${place}).`;
    return { ok: false, reason, message, hint: error.hint };
  }
}

const read = ({ path }: FieldRestoration, text: string): ParsedText =>
  path === undefined ? parseText(text) : parseFile(path, text);

/** Where the field, or the nearest one above it, stands; null where that is not certain. */
function placeOfField(input: FieldRestoration): string | null {
  const { base, selector } = input;
  try {
    const parsed = read(input, base);
    for (let depth = selector.length; depth >= 0; depth -= 1) {
      const found = locate(parsed, selector.slice(0, depth));
      if (found)
        return `${formatSelector(found.selector) || 'the file'} stands at ${placeOf(base, found.start)}`;
    }
    return null;
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

interface Restoration {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly selector: Selector;
}

/** First leaf by leaf; where that does not read back right, the selected value as a whole. */
function restore(restoration: Restoration): EditResult {
  const { base, target, selector } = restoration;
  if (isFlat(base)) {
    const { text, operations } = editFlat(restoration);
    return { ok: true, text, changed: text !== base.text, operations };
  }
  try {
    return attempt(restoration, planChange);
  } catch (error) {
    const isMismatch = refusalReason(error) === 'verify-mismatch';
    if (selector.length === 0 || (!isMismatch && !isLayout(error))) throw error;
    const [own, other] = [locate(base, selector), locate(target, selector)];
    if (!own || !other) throw error;
    try {
      return attempt(restoration, (context) =>
        replaceValue(context, slotOf(base, own), slotOf(target, other), selector),
      );
    } catch {
      throw error;
    }
  }
}

const isFlat = ({ format }: ParsedText) => format === 'dotenv' || format === 'properties';

function attempt(
  restoration: Restoration,
  plan: (context: EditContext, restoration: Restoration) => Change,
): EditResult {
  const { base, target, selector } = restoration;
  const range = selector.length === 0 ? null : locate(base, selector);
  const selected =
    selector.length === 0 ? { start: 0, end: base.text.length } : (range ?? { start: 0, end: 0 });
  const context = makeContext(base, target, selected);
  const { splices, operations } = plan(context, restoration);
  if (splices.length === 0) return { ok: true, text: base.text, changed: false, operations: [] };
  const text = proven(endings(base.text, applySplices(base.text, splices)), (candidate) =>
    verifyEdit({ base, target, selector, text: candidate }),
  );
  return { ok: true, text, changed: text !== base.text, operations };
}

/** The first text that `verify` does not refuse. */
function proven([text = '', ...others]: readonly string[], verify: (text: string) => void): string {
  try {
    verify(text);
    return text;
  } catch (error) {
    if (others.length === 0 || refusalReason(error) !== 'verify-mismatch') throw error;
    return proven(others, verify);
  }
}

/** A file without a final line break keeps being one, whatever its last entry is now; but the break may belong to a block scalar. */
function endings(base: string, text: string): string[] {
  if (base === '' || base.endsWith('\n')) return [text];
  return [...new Set([text.replace(/\r?\n$/, ''), text])];
}

function planChange(context: EditContext, { base, target, selector }: Restoration): Change {
  if (selector.length === 0) return changeFile(context);
  const own = locate(base, selector);
  const other = locate(target, selector);
  if (own && other) return replaceField(context, own, other, selector);
  if (own && !own.entry) return removeDocument(context, own.body, selector);
  if (other && !other.entry) return addDocument(context, other.body, selector);
  if (own) return removeField(context, own, selector);
  if (other) return addField(context, other, locate(base, selector.slice(0, -1)), selector);
  return { splices: [], operations: [] };
}
