import { RE2JS } from 're2js';

export type Expression = (text: string) => boolean;

/**
 * Compiles a regular expression of a configuration, searched anywhere in the text. RE2 syntax and linear time: a configuration must not
 * be able to block the program with `(a+)+$`. Throws a plain Error with a sentence as message.
 */
export function compileExpression(source: string): Expression {
  try {
    const expression = RE2JS.compile(source);
    return (text) => expression.matcher(text).find();
  } catch {
    throw new Error(
      'This is not a valid regular expression; lookaround and back references are not supported.',
    );
  }
}
