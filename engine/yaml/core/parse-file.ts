import { type ParsedText, parseText } from './document.ts';
import { fileKind } from '../formats/format.ts';
import { refusalReason, refuse } from './refusal.ts';

/**
 * Parses a file in the format that its name implies. A file of an unknown name is parsed as YAML if it contains maps or lists.
 * @throws EDIT_REFUSED like `parseText`, and with the reason `format` for a format without fields
 */
export function parseFile(path: string, text: string): ParsedText {
  const kind = fileKind(path);
  if (kind.is === 'known') return parseText(text, { format: kind.format });
  if (text.includes('\0')) return refuseFormat('a binary file');
  if (kind.is === 'other') return refuseFormat(kind.name);
  const parsed = readYaml(text, kind.name);
  const isCollections = parsed.bodies.every(({ root }) => root.kind === 'map' || root.kind === 'seq');
  return isCollections ? parsed : refuseFormat(kind.name);
}

/** Like `parseFile`, for layouts: a file of another format is parsed as YAML, in which the layout's patterns then find nothing. */
export function parseFileLoosely(path: string, text: string): ParsedText {
  const kind = fileKind(path);
  return parseText(text, kind.is === 'known' ? { format: kind.format } : {});
}

function readYaml(text: string, name: string): ParsedText {
  try {
    return parseText(text);
  } catch (error) {
    if (refusalReason(error) !== 'syntax' || !(error instanceof Error)) throw error;
    return refuseFormat(`${name}, ${error.message.replace(/^The file is |\.$/g, '')}`);
  }
}

function refuseFormat(name: string): never {
  refuse('format', `The file is ${name}: only YAML, JSON, .env and .properties files are edited by field.`);
}
