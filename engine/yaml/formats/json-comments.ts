import { visit } from 'jsonc-parser';
import { refuse } from '../core/refusal.ts';
import { placeOf } from '../core/text.ts';

/**
 * The code of a JSON text with comments and trailing commas: every comment is replaced by blanks, so that offsets stay. The text itself
 * where it is YAML in a file that is called JSON. Throws EDIT_REFUSED for what has such comments and is not valid JSON otherwise: YAML would
 * read keys in the comments.
 */
export function jsonCode(text: string): string {
  if (!/\/[/*]/.test(text)) return text;
  const { code, hasComments, error } = readJson(text);
  if (error === null) return code;
  const isTemplate = /\{\{|\{%|<%/.test(text);
  if (hasComments && !isTemplate && /^\uFEFF?\s*[[{]/.test(code))
    refuse('syntax', `The file is not valid JSON with comments (${placeOf(text, error)}).`);
  return text;
}

/** How much a text is JSON; `comments` stands for comments and trailing commas. */
export function jsonLevel(text: string): 'strict' | 'comments' | null {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return 'strict';
  } catch {
    return readJson(text).error === null ? 'comments' : null;
  }
}

interface ReadJson {
  readonly code: string;
  readonly hasComments: boolean;
  /** Where it is no JSON with comments and trailing commas. */
  readonly error: number | null;
}

function readJson(text: string): ReadJson {
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
    // The parser recurses: a text nested deeply enough ends its stack.
    if (!(thrown instanceof RangeError)) throw thrown;
    error = bom;
  }
  return { code: code + text.slice(at), hasComments: at > bom, error };
}
