import { RE2JS } from 're2js';

export type Expression = (text: string) => boolean;

/**
 * A regular expression of a configuration, in RE2's syntax: matched in time linear in the text, because whoever may write the
 * configuration must not be able to stop the program with `(a+)+$`. Throws a plain Error whose message is a sentence. The expression is
 * looked for anywhere in the text.
 */
export function compileExpression(source: string): Expression {
  try {
    const expression = RE2JS.compile(source);
    return (text) => expression.matcher(text).find();
  } catch {
    throw new Error('This is not a regular expression; looking around and back references are not known.');
  }
}
