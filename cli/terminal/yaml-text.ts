import { Document, Scalar, visit } from 'yaml';

/** As YAML. A text with characters of `unsafe` is written in double quotes, which know JSON's escapes. */
export function yamlText(value: unknown, unsafe: RegExp): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && unsafe.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString();
}
