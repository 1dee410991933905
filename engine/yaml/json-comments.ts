import { visit } from 'jsonc-parser';

/**
 * The code of a JSON text with comments and trailing commas: every comment is replaced by blanks, so that offsets stay. The text itself
 * where it is something else, such as YAML in a file that is called JSON.
 */
export function jsonCode(text: string): string {
  return /\/[/*]/.test(text) ? (readJson(text) ?? text) : text;
}

/** How much a text is JSON; `comments` stands for comments and trailing commas. */
export function jsonLevel(text: string): 'strict' | 'comments' | null {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return 'strict';
  } catch {
    return readJson(text) === null ? null : 'comments';
  }
}

/** The text with blanks for comments; null where it is no JSON with comments and trailing commas. */
function readJson(text: string): string | null {
  const bom = text.startsWith('\uFEFF') ? 1 : 0;
  let code = text.slice(0, bom);
  let at = bom;
  let isValid = true;
  const onComment = (offset: number, length: number): void => {
    const start = bom + offset;
    code += text.slice(at, start) + text.slice(start, start + length).replace(/[^\r\n]/g, ' ');
    at = start + length;
  };
  const onError = (): void => {
    isValid = false;
  };
  try {
    visit(text.slice(bom), { onComment, onError }, { allowTrailingComma: true });
  } catch (error) {
    // The parser recurses: a text nested deeply enough ends its stack.
    if (error instanceof RangeError) return null;
    throw error;
  }
  return isValid ? code + text.slice(at) : null;
}
