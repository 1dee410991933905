/** Names of fields as the layout writes them. */
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

interface Sides {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * A difference names list items and documents by what usually identifies them, or by their place. Where a pattern of the layout says what
 * identifies them (`#/apps[app={service}]`), that takes its place, so that a field can be given to its service.
 */
export function inLayoutNames(
  layout: Layout,
  fields: readonly FieldChange[],
  sides: Sides,
): readonly FieldChange[] {
  const templates = [...layout.service, ...layout.environment].flatMap((pattern) =>
    pattern.selector?.some(isMatch) && bindPath(pattern, {}).match(sides.path) ? [pattern.selector] : [],
  );
  if (templates.length === 0) return fields;
  const [before, after] = [sides.before, sides.after].map((text) => parseQuietly(sides.path, text));
  return fields.map((field) => {
    const parsed = (field.op === 'add' ? after : before) ?? null;
    const selector = parseSelector(field.selector);
    const renamed =
      parsed && templates.reduce((known, template) => rename(parsed, known, template), selector);
    return renamed === null || renamed === selector ? field : { ...field, selector: formatSelector(renamed) };
  });
}

const isMatch = (step: Step) => 'match' in step;

function parseQuietly(path: string, text: string | null): ParsedText | null {
  return text === null ? null : quietly(() => parseFileLoosely(path, text));
}

/** The selector itself where the template says nothing about it. */
function rename(parsed: ParsedText, selector: Selector, template: Selector): Selector {
  const [only] = parsed.bodies;
  const isOneMap = parsed.bodies.length === 1 && only?.root.kind === 'map';
  const [first] = template;
  const document = isOneMap && first ? stepOf(parsed, only.root, first) : null;
  const steps = document && !isNamed(selector[0], first) ? [document, ...selector] : [...selector];
  for (const [index, wanted] of template.entries()) {
    if (!isMatch(wanted) || index >= steps.length || isNamed(steps[index], wanted)) continue;
    const item = quietly(() => locate(parsed, steps.slice(0, index + 1)));
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

/** The step that names an item by the keys of the template's step; null where it lacks one. */
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

function quietly<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}
