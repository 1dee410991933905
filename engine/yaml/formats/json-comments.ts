import { visit } from 'jsonc-parser';
import { refuse } from '../core/refusal.ts';
import { positionOf } from '../core/text.ts';

/**
 * A JSON text with comments replaced by spaces, so that offsets stay. Returns the text unchanged if it is YAML in a file named .json.
 * @throws EDIT_REFUSED if it has JSON comments and is not valid JSON otherwise: as YAML, keys in comments would count
 */
export function jsonCode(text: string): string {
  if (!/\/[/*]/.test(text)) return text;
  const { code, hasComments, error } = readJson(text);
  if (error === null) return code;
  const isTemplate = /\{\{|\{%|<%/.test(text);
  if (hasComments && !isTemplate && /^\uFEFF?\s*[[{]/.test(code))
    refuse('syntax', `The file is not valid JSON with comments (${positionOf(text, error)}).`);
  return text;
}

/** Whether a text is JSON, JSON with comments or trailing commas (`comments`), or neither (null). */
export function jsonLevel(text: string): 'strict' | 'comments' | null {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return 'strict';
  } catch {
    return readJson(text).error === null ? 'comments' : null;
  }
}

interface JsonScan {
  readonly code: string;
  readonly hasComments: boolean;
  /** Offset of the first syntax error. */
  readonly error: number | null;
}

function readJson(text: string): JsonScan {
  const bom = text.startsWith('\uFEFF') ? 1 : 0;
  let code = text.slice(0, bom);
  let at = bom;
  let error: number | null = null;
  const onComment = (offset: number, length: number): void => {
    const start = bom + offset;
    code += text.slice(at, start) + text.slice(start, start + length).replace(/[^\r\n]/g, ' ');
    at = start + length;
  };
  const onError = (_: unknown, offset: number): void => {
    error ??= bom + offset;
  };
  try {
    visit(text.slice(bom), { onComment, onError }, { allowTrailingComma: true });
  } catch (thrown) {
    // The parser is recursive: deep nesting overflows its stack.
    if (!(thrown instanceof RangeError)) throw thrown;
    error = bom;
  }
  return { code: code + text.slice(at), hasComments: at > bom, error };
}
