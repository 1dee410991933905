/** Renames fields in a diff by the layout's own identifying keys. */
import type { FieldChange } from '../../model/index.ts';
import type { ParsedText } from '../../yaml/core/document.ts';
import { textAt } from '../../yaml/core/identity.ts';
import { locate } from '../../yaml/core/locate.ts';
import type { Outline } from '../../yaml/core/outline.ts';
import { parseFileLoosely } from '../../yaml/core/parse-file.ts';
import { refusalReason } from '../../yaml/core/refusal.ts';
import { formatSelector, parseSelector, type Selector, type Step } from '../../yaml/core/selector.ts';
import type { Layout } from '../layout.ts';
import { bindPath } from '../pattern.ts';

interface FileTexts {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * A diff identifies list items and documents by the usual keys, or by index. If a pattern of the layout identifies them by another key
 * (`#/apps[app={service}]`), that one replaces it, so that the field can be attributed to its service.
 */
export function inLayoutNames(
  layout: Layout,
  fields: readonly FieldChange[],
  sides: FileTexts,
): readonly FieldChange[] {
  const templates = [...layout.service, ...layout.environment].flatMap((pattern) =>
    pattern.selector?.some(isMatch) && bindPath(pattern, {}).match(sides.path) ? [pattern.selector] : [],
  );
  if (templates.length === 0) return fields;
  const [before, after] = [sides.before, sides.after].map((text) => tryParseFile(sides.path, text));
  return fields.map((field) => {
    const parsed = (field.op === 'add' ? after : before) ?? null;
    const selector = parseSelector(field.selector);
    const renamed =
      parsed && templates.reduce((known, template) => toLayoutSteps(parsed, known, template), selector);
    return renamed === null || renamed === selector ? field : { ...field, selector: formatSelector(renamed) };
  });
}

const isMatch = (step: Step) => 'match' in step;

function tryParseFile(path: string, text: string | null): ParsedText | null {
  return text === null ? null : nullIfRefused(() => parseFileLoosely(path, text));
}

/** Returns the selector unchanged if the template does not apply. */
function toLayoutSteps(parsed: ParsedText, selector: Selector, template: Selector): Selector {
  const [only] = parsed.bodies;
  const isOneMap = parsed.bodies.length === 1 && only?.root.kind === 'map';
  const [first] = template;
  const document = isOneMap && first ? stepOf(parsed, only.root, first) : null;
  const steps = document && !isNamed(selector[0], first) ? [document, ...selector] : [...selector];
  for (const [index, wanted] of template.entries()) {
    if (!isMatch(wanted) || index >= steps.length || isNamed(steps[index], wanted)) continue;
    const item = nullIfRefused(() => locate(parsed, steps.slice(0, index + 1)));
    const step = item && stepOf(item.parsed, item.outline, wanted);
    if (!step) return selector;
    steps[index] = step;
  }
  return steps;
}

function isNamed(step: Step | undefined, wanted: Step | undefined): boolean {
  if (!step || !wanted || !('match' in step) || !('match' in wanted)) return false;
  return Object.keys(wanted.match).every((key) => Object.hasOwn(step.match, key));
}

/** The step that identifies an item by the keys of the template's step; null if the item lacks one. */
function stepOf(parsed: ParsedText, item: Outline, wanted: Step): Step | null {
  if (!('match' in wanted)) return null;
  const match: Record<string, string> = Object.create(null);
  for (const key of Object.keys(wanted.match)) {
    const value = textAt(parsed, item, key);
    if (value === null) return null;
    match[key] = value;
  }
  return { match };
}

function nullIfRefused<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}
