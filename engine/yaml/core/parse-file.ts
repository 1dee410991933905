import { type ParsedText, parseText } from './document.ts';
import { fileKind } from '../formats/format.ts';
import { refusalReason, refuse } from './refusal.ts';

/**
 * Takes a file apart by the format that its name tells. Throws EDIT_REFUSED as `parseText`, with the reason `format` where it is of a
 * format that has no fields for us; a name that tells nothing is taken for YAML where the text is a map or a list.
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

/** The same where a layout looks for parts: what its patterns name by mistake is read as YAML, and holds none. */
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
  refuse('format', `The file is ${name}: fields are edited in YAML, JSON, .env and .properties files only.`);
}
