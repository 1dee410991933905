import { BacktrailError } from '../../model/index.ts';
import { type ParsedText, parseText } from '../core/document.ts';
import { locate } from '../core/locate.ts';
import { parseFile } from '../core/parse-file.ts';
import { refusalReason } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import { applySplices } from '../core/splice.ts';
import { positionOf } from '../core/text.ts';
import { isLayoutRefusal, replaceValue } from './change.ts';
import { type Change, type EditContext, makeContext, slotOf } from './context.ts';
import { addDocument, removeDocument } from './document.ts';
import { addField, removeField, replaceField } from './field.ts';
import { changeFile } from './file.ts';
import { editFlat } from './flat-file.ts';
import type { EditResult, FieldRestoration } from './result.ts';
import { editString } from './string.ts';
import { verifyEdit } from './verify.ts';

/**
 * Changes the node at `selector` in `base` to its state in `target`: replaces, adds or removes it. Writes the target's own source,
 * reindented; every other byte stays. The result is parsed again and verified; an edit that is not exact is refused.
 * Returns a refusal as `{ ok: false }`; does not throw EDIT_REFUSED.
 */
export function restoreField(input: FieldRestoration): EditResult {
  try {
    const [base, target] = [parseSide(input, input.base), parseSide(input, input.target)];
    const restoration = { base, target, selector: input.selector };
    return input.selector.some((step) => 'enter' in step)
      ? editString({ ...restoration, restoreField })
      : restoreVerified(restoration);
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === null || !(error instanceof BacktrailError)) throw error;
    const place = /line \d/.test(error.message) ? null : positionOfField(input);
    const message = place === null ? error.message : `${error.message.slice(0, -1)} (${place}).`;
    return { ok: false, reason, message, hint: error.hint };
  }
}

const parseSide = ({ path }: FieldRestoration, text: string): ParsedText =>
  path === undefined ? parseText(text) : parseFile(path, text);

/** Position of the field, or of its nearest existing ancestor; null if it is ambiguous. */
function positionOfField(input: FieldRestoration): string | null {
  const { base, selector } = input;
  try {
    const parsed = parseSide(input, base);
    for (let depth = selector.length; depth >= 0; depth -= 1) {
      const found = locate(parsed, selector.slice(0, depth));
      if (found)
        return `${formatSelector(found.selector) || 'the file'} is at ${positionOf(base, found.start)}`;
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

/** Edits leaf by leaf; if that fails verification, replaces the selected value as a whole. */
function restoreVerified(restoration: Restoration): EditResult {
  const { base, target, selector } = restoration;
  if (isFlat(base)) {
    const { text, operations } = editFlat(restoration);
    return { ok: true, text, changed: text !== base.text, operations };
  }
  try {
    return attemptEdit(restoration, planChange);
  } catch (error) {
    const isMismatch = refusalReason(error) === 'verify-mismatch';
    if (selector.length === 0 || (!isMismatch && !isLayoutRefusal(error))) throw error;
    const [own, other] = [locate(base, selector), locate(target, selector)];
    if (!own || !other) throw error;
    try {
      return attemptEdit(restoration, (context) =>
        replaceValue(context, slotOf(base, own), slotOf(target, other), selector),
      );
    } catch {
      throw error;
    }
  }
}

const isFlat = ({ format }: ParsedText) => format === 'dotenv' || format === 'properties';

function attemptEdit(
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
  const text = firstVerified(endings(base.text, applySplices(base.text, splices)), (candidate) =>
    verifyEdit({ base, target, selector, text: candidate }),
  );
  return { ok: true, text, changed: text !== base.text, operations };
}

/** The first candidate that passes `verify`. */
function firstVerified([text = '', ...others]: readonly string[], verify: (text: string) => void): string {
  try {
    verify(text);
    return text;
  } catch (error) {
    if (others.length === 0 || refusalReason(error) !== 'verify-mismatch') throw error;
    return firstVerified(others, verify);
  }
}

/** Keeps a missing final line break missing, unless the break is content of a block scalar. */
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
